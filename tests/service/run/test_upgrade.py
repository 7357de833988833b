"""An offer to upgrade is no way to hide a request in a body."""

import pytest

from tests.service.run.process import running

HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-ID: smuggled\r\n\r\n"


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "foo"])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_behind_an_offer_is_a_body(tmp_path, protocol, chunked):
    """What follows a head with `Upgrade` is the request's body by its length or chunks, never the next request."""
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(HIDDEN)}"
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN) if chunked else HIDDEN
    async with running(tmp_path, "tests.patient_service", DRAIN_SECONDS="0") as service:
        head = (
            f"PUT /api/v1/profiles/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {service.token.decode()}\r\n"
            f"Content-Type: application/json\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n{framing}\r\n\r\n"
        )
        answer = await service.exchange(head.encode() + body + service.request("/readyz"))
    assert b"smuggled" not in answer
    assert answer.startswith(b"HTTP/1.1 422 ")
    assert answer.count(b"HTTP/1.1 200 ") == 1


async def test_a_body_behind_an_offer_is_read(tmp_path):
    """A PUT with `Upgrade: h2c`, as `curl --http2` sends it, is served like any other."""
    body = b'{"name": "Ada", "email": "ada@example.com"}'
    async with running(tmp_path, "tests.patient_service", DRAIN_SECONDS="0") as service:
        head = (
            f"PUT /api/v1/profiles/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {service.token.decode()}\r\n"
            "Content-Type: application/json\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n"
            f"HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        answer = await service.exchange(head.encode() + body)
    assert answer.startswith(b"HTTP/1.1 201 ")
