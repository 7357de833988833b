"""Row 21: health probes drown traces and logs (everywhere)."""

import pytest

from tests.otlp_receiver import OtlpReceiver
from tests.service.run.process import running

PROBES = ("/healthz", "/readyz", "/metrics", "/healthz?verbose=1")
LOOKALIKES = {
    "/healthzfoo": "/healthzfoo",
    "/healthz%0A": "/healthz\n",
    "/healthz/": "/healthz/",
    "/x/healthz": "/x/healthz",
    "/healthz%3F": "/healthz?",
    "//healthz": "//healthz",
    "/HEALTHZ": "/HEALTHZ",
    "/metricsx": "/metricsx",
}


async def test_row_21_probes_leave_nothing(real):
    """A probe that succeeds has no span, no line of any kind, no traceresponse, and is in no request metric."""
    async with real(LOG_LEVEL="debug") as served:
        served.recorder.clear()
        for path in PROBES * 3:
            answer = await served.client.get(path)
            assert answer.status_code == 200
            assert "traceresponse" not in answer.headers
            assert answer.headers["x-request-id"]
        lines = [line for line in served.recorder.lines if not line["logger"].startswith(("httpx", "httpcore"))]
        metrics = (await served.client.get("/metrics")).text
    assert served.recorder.spans == []
    assert [line for line in lines if "request_id" in line or line["event"].startswith("http.")] == []
    for line in metrics.splitlines():
        if line.startswith(("http_server_request_duration", "http_server_time_to_first_byte")):
            assert not any(f'"{probe}"' in line for probe in PROBES)


async def test_row_21_a_probe_that_fails_is_told(real):
    """A readiness probe that says no leaves one access event, without a trace."""
    async with real() as served:
        served.app.state.readiness.drain()
        answer = await served.client.get("/readyz")
    (line,) = served.recorder.events("http.request.completed")
    assert (answer.status_code, line["status"], line["route"]) == (503, 503, "/readyz")
    assert "trace_id" not in line
    assert "traceresponse" not in answer.headers
    assert served.recorder.server_spans() == []


async def test_row_21_what_only_looks_like_a_probe_is_traced(tmp_path):
    """Over a socket: `/healthz` leaves nothing, `/healthzfoo` and `/healthz%0A` have their span and event."""
    with OtlpReceiver() as receiver:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "DRAIN_SECONDS": "0", "LOG_LEVEL": "debug"}
        async with running(tmp_path, "tests.patient_service", **settings) as service:
            for path in PROBES:
                probed = await service.exchange(service.request(path))
                assert probed.startswith(b"HTTP/1.1 200 ")
                assert b"traceresponse" not in probed
            traces = []
            for path in LOOKALIKES:
                answer = await service.exchange(service.request(path))
                traces.append(answer.partition(b"traceresponse: 00-")[2].partition(b"-")[0].decode())
            service.signal()
            assert await service.ended() == 0
        spans = receiver.server_spans
    assert [span.trace_id for span in spans] == traces
    assert [span.attributes["url.path"] for span in spans] == list(LOOKALIKES.values())
    assert service.stdout.count(b'"event":"http.request.completed"') == len(LOOKALIKES)
    assert all(service.stdout.count(b'"route":"%b"' % probe.encode()) == 0 for probe in PROBES)


@pytest.mark.parametrize("host", ["a", "a.test:1", "", "healthz", "a@b", "a/b", "/", "a/healthz"])
async def test_row_21_a_host_hides_nothing(real, host):
    """Whatever host a client names, its request is traced and a probe is not."""
    async with real() as served:
        await served.client.get("/api/v1/jobs", headers={"Host": host})
        probe = await served.client.get("/healthz", headers={"Host": host})
    assert len(served.recorder.server_spans()) == 1
    assert "traceresponse" not in probe.headers
