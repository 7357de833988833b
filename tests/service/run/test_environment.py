"""What the libraries would read from the environment by themselves."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from service.settings.spelling import KNOWN
from tests.patience import until
from tests.service.run.process import completed, environment, running
from tests.telemetry.receiver import receiving

SECRET = "s3cret-7f1c"


def names() -> set[str]:
    """Every variable that an OpenTelemetry package or the Prometheus client names, but for those that are ours."""
    folders = [Path(place) for name in ("opentelemetry", "prometheus_client") for place in _places(name)]
    texts = (file.read_text() for folder in folders for file in folder.rglob("*.py"))
    found = {name for text in texts for name in re.findall(r"""["']((?:OTEL|PROMETHEUS)_[A-Z_0-9]+)["']""", text)}
    templates = {
        "OTEL_PYTHON_EXCLUDED_URLS",
        "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS",
        "OTEL_PYTHON_FASTAPI_TRACED_REQUEST_ATTRS",
    }
    return (found | templates | {"prometheus_multiproc_dir"}) - KNOWN


def _places(name):
    return find_spec(name).submodule_search_locations


@pytest.mark.parametrize("value", [f"{SECRET}=\x01é,", "-5", "0", "[", ","])
@pytest.mark.parametrize("shape", ["check", "run"])
async def test_what_the_libraries_would_read_stops_nothing(tmp_path, value, shape):
    """No value of any variable that the service does not read itself is a traceback, or is shown."""
    bad = dict.fromkeys(names(), value)
    assert len(bad) > 90
    if shape == "check":
        status, out, err = await completed("check", env=environment(tmp_path, **bad))
        assert (status, err) == (0, "")
        assert "/api/v1/jobs" in out
        return
    with receiving() as receiver:
        async with running(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, **bad) as service:
            answer = await service.exchange(service.request("/api/v1/jobs"))
            service.signal()
            assert await service.ended() == 0
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\ntraceresponse: 00-" in answer
    told = service.stdout + service.stderr
    assert b"Traceback" not in told
    assert SECRET.encode() not in told


async def test_headers_are_not_captured_by_the_environment(tmp_path):
    """The instrumentation's own switches put no header into a span."""
    captured = {f"OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_{side}": ".*" for side in ("REQUEST", "RESPONSE")}
    with receiving() as receiver:
        async with running(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, **captured) as service:
            await service.exchange(service.request("/api/v1/jobs"))
            await until(lambda: receiver.spans)
            service.signal()
            await service.ended()
    keys = {pair.key for span in receiver.spans for pair in span.attributes}
    assert "http.route" in keys
    assert [key for key in keys if ".header." in key] == []


async def test_the_sdk_is_not_told_otherwise(tmp_path):
    """What would switch the SDK off, send a signal elsewhere or give it headers of its own has no effect."""
    told = {
        "OTEL_SDK_DISABLED": "true",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": f"x-other={SECRET}",
        "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE": "/nowhere",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "-5",
        "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "-5",
    }
    with receiving() as receiver:
        async with running(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, **told) as service:
            await service.exchange(service.request("/api/v1/jobs"))
            await until(lambda: any(span.name == "GET /api/v1/jobs" for span in receiver.spans) and receiver.logs)
            service.signal()
            await service.ended()
    assert {path for path, _, _ in receiver.posts} == {"/v1/traces", "/v1/logs"}
    assert any(span.name == "GET /api/v1/jobs" for span in receiver.spans)
    assert SECRET not in str([headers for _, headers, _ in receiver.posts])
