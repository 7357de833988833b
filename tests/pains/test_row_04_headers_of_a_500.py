"""Row 4: 500s without a request id or security headers (asgi-correlation-id#19, #55)."""

import asyncio

import pytest

from service.middleware.response_headers import SECURITY
from tests.service.run.process import running


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


async def test_row_04_a_500_ends_no_connection_unsaid(tmp_path):
    """A 500 keeps its connection, or says that it ends it: the client's next request is not reset."""
    async with running(tmp_path, "tests.story_service") as service:
        request = service.request("/boom").replace(b"Connection: close\r\n", b"")
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
            for _ in range(2):
                writer.write(request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
                assert head.startswith(b"http/1.1 500 ")
                if b"\r\nconnection: close\r\n" in head:
                    break
            writer.close()
