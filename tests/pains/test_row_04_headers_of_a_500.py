"""Row 4: 500s without a request id or security headers (asgi-correlation-id#19, #55)."""

import pytest

from service.middleware.response_headers import SECURITY


@pytest.mark.parametrize("path", ["/boom", "/api/v1/jobs", "/nowhere"])
async def test_row_04_a_500_has_every_header_that_a_200_has(real, path, monkeypatch):
    """asgi-correlation-id#19, #55: an unhandled error's response has ids and security headers, each once."""
    async with real(CORS_ORIGINS="https://app.test") as served:
        monkeypatch.setattr("service.middleware.owasp.Owasp._fault", lambda *_: 1 / 0)
        origin = {"Origin": "https://app.test", "X-Request-ID": "mine-1"}
        answer = await served.client.get(path, headers=origin)
    fields = answer.headers.multi_items()
    assert answer.status_code == 500
    assert [value for name, value in fields if name == "x-request-id"] == ["mine-1"]
    assert len([value for name, value in fields if name == "traceresponse"]) == 1
    for name, value in SECURITY:
        assert [found for key, found in fields if key == name.decode()] == [value.decode()]
    assert answer.headers["access-control-allow-origin"] == "https://app.test"
    problem = answer.json()
    assert (problem["request_id"], problem["trace_id"]) == ("mine-1", answer.headers["traceresponse"].split("-")[1])
    (failed,) = served.recorder.events("http.request.failed")
    assert failed["request_id"] == "mine-1"
    assert "division" not in answer.text
