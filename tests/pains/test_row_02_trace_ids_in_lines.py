"""Row 2: access log lines with trace id 0 (blueswen/fastapi-observability#9)."""

import re

import pytest

from tests.service.run.process import running


@pytest.mark.parametrize("sampler", ["parentbased_always_on", "parentbased_always_off"])
async def test_row_02_every_line_of_a_request_has_its_trace_id(real, sampler):
    """fastapi-observability#9: the access line has the trace id of the response, sampled or not; none is zero."""
    async with real(OTEL_TRACES_SAMPLER=sampler) as served:
        answers = [await served.client.get(path) for path in ("/api/v1/jobs", "/boom", "/nowhere", "/interleaved")]
        answers.append(await served.client_from("192.0.2.1").get("/api/v1/jobs"))
    accessed = served.recorder.events("http.request.completed")
    assert [line["trace_id"] for line in accessed] == [a.headers["traceresponse"].split("-")[1] for a in answers]
    assert [line["span_id"] for line in accessed] == [a.headers["traceresponse"].split("-")[2] for a in answers]
    of_requests = [line for line in served.recorder.lines if "request_id" in line]
    assert len(of_requests) > len(answers)
    for line in of_requests:
        assert re.fullmatch("[0-9a-f]{32}", line["trace_id"])
        assert int(line["trace_id"], 16)
        assert int(line["span_id"], 16)


async def test_row_02_a_line_outside_a_span_has_no_trace_id_at_all(tmp_path):
    """A process' lines, its start and its end included, have a trace id that is not zero or none."""
    async with running(tmp_path, DRAIN_SECONDS="0", LOG_LEVEL="debug") as service:
        await service.exchange(service.request("/api/v1/jobs?limit=1"))
        service.signal()
        assert await service.ended() == 0
    assert b'"event":"http.request.completed"' in service.stdout
    assert re.search(rb'"trace_id":"(?!0{32})[0-9a-f]{32}"', service.stdout)
    assert not re.search(rb'_id":("0*"|null|"")', service.stdout)
    outside = [line for line in service.stdout.splitlines() if b'"request_id"' not in line]
    assert outside
    assert not any(b'"logger":"uvicorn.error"' in line and b"trace_id" in line for line in outside)
