"""Row 16: background tasks inflate the request's duration (opentelemetry-python-contrib#4251)."""

from datetime import datetime

import pytest

from tests.service.run.process import running

BACKGROUND = 0.5
LABELS = {"http_request_method": "GET", "http_route": "/background", "http_response_status_code": "200"}


async def test_row_16_work_in_the_background_is_not_the_requests_time(real):
    """opentelemetry-python-contrib#4251: what is done in the background is in no duration, of line, span or metric."""
    async with real() as served:
        answer = await served.client.get("/background")
    (line,) = served.recorder.events("http.request.completed")
    (span,) = served.recorder.server_spans()
    (told,) = served.recorder.events("test.background")
    # By the clock of the lines all three had ended half a second before the work did.
    ended = datetime.fromisoformat(told["timestamp"]).timestamp() - BACKGROUND
    assert datetime.fromisoformat(line["timestamp"]).timestamp() <= ended
    assert span.end_time / 1e9 <= ended
    measured = served.recorder.metric("http_server_request_duration_seconds_sum", **LABELS)
    assert measured == pytest.approx(line["duration_ms"] / 1000, abs=0.001)
    # The work is still the request's: its lines lead back to it.
    assert told["request_id"] == answer.headers["x-request-id"] == line["request_id"]
    assert told["timestamp"] > line["timestamp"]


async def test_row_16_the_access_event_does_not_wait_for_it(tmp_path):
    """In a real process the access event is written before the background work ends, and once."""
    async with running(tmp_path, "tests.story_service", DRAIN_SECONDS="0") as service:
        await service.exchange(service.request("/background"))
        service.signal()
        assert await service.ended() == 0
    completed = service.stdout.index(b'"event":"http.request.completed"')
    assert completed < service.stdout.index(b'"event":"test.background"')
    assert service.stdout.count(b'"event":"http.request.completed"') == 1
