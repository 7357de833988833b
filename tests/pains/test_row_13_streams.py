"""Row 13: streams poison p99: first and last byte are one number (prometheus-fastapi-instrumentator#290)."""

import asyncio

from tests.patience import PATIENCE
from tests.service.run.process import running

CHUNKS, PAUSE = 6, 0.1
WHOLE = (CHUNKS - 1) * PAUSE
STREAM = {"http_request_method": "GET", "http_route": "/stream"}


async def test_row_13_first_byte_and_whole_stream_are_two_numbers(real):
    """prometheus-fastapi-instrumentator#290: a stream's first byte is fast and its whole is slow, and both are told."""
    async with real() as served:
        await served.client.get("/stream", params={"chunks": CHUNKS, "pause": PAUSE})
    metric = served.recorder.metric
    first = metric("http_server_time_to_first_byte_seconds_sum", **STREAM)
    whole = metric("http_server_request_duration_seconds_sum", **STREAM, http_response_status_code="200")
    (line,) = served.recorder.events("http.request.completed")
    (span,) = served.recorder.server_spans()
    assert metric("http_server_time_to_first_byte_seconds_count", **STREAM) == 1
    assert metric("http_server_request_duration_seconds_count", **STREAM, http_response_status_code="200") == 1
    assert whole >= WHOLE
    assert whole - first >= WHOLE * 0.95
    assert line["duration_ms"] >= WHOLE * 1000
    assert (span.end_time - span.start_time) / 1e9 >= WHOLE
    assert line["bytes"] == CHUNKS * len(b"chunk\n")


async def test_row_13_the_first_byte_leaves_when_it_is_there(tmp_path):
    """Over a socket the first chunk arrives while there is no other: no layer gathers a stream."""
    async with running(tmp_path, "tests.story_service") as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(service.request("/stream?chunks=2&pause=3600"))
        async with asyncio.timeout(PATIENCE):
            await reader.readuntil(b"chunk\n")
        writer.close()
