"""CORS: allowed pages can read every answer, others none, and a preflight needs no token."""

import pytest

from tests.service.chain.chain import Chain, token

PAGE = "https://app.test"
ORIGIN = ("origin", PAGE)


def preflight(method: str = "POST", headers: str = "authorization, content-type, idempotency-key"):
    """The headers of a preflight from the allowed page."""
    asked = (("access-control-request-method", method), ("access-control-request-headers", headers))
    return (ORIGIN, *asked)


async def test_a_preflight_needs_no_token_and_reaches_no_handler():
    """The browser asks without credentials, and is told what it may do."""
    answer = await Chain(origins=(PAGE,))("OPTIONS", "/api/items", *preflight())
    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("access-control-allow-origin") == PAGE
    assert "PATCH" in (answer.header("access-control-allow-methods") or "")
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("access-control-allow-credentials") is None


@pytest.mark.parametrize(
    ("origins", "headers"),
    [
        ((), preflight()),
        (("https://other.test",), preflight()),
        ((PAGE,), preflight(method="TRACE")),
        ((PAGE,), preflight(headers="x-secret")),
    ],
)
async def test_a_preflight_that_asks_for_too_much_is_refused(origins, headers):
    """Another page, method or header is a 400 problem, counted."""
    answer = await Chain(origins=origins)("OPTIONS", "/api/items", *headers)
    assert (answer.status, answer.header("content-type")) == (400, "application/problem+json")
    assert answer.record.rejection == ("owasp", "preflight_refused")
    assert len([name for name, _ in answer.raw_headers if name == b"content-length"]) == 1


async def test_preflights_count_under_the_clients_limit():
    """They need no token, so they are limited by address."""
    chain = Chain(origins=(PAGE,))
    statuses = [(await chain("OPTIONS", "/api/items", *preflight())).status for _ in range(6)]
    assert statuses == [204] * 5 + [429]


async def test_allowed_pages_can_read_errors_too():
    """401, 404, 415 and 429 carry the CORS headers and expose what a client needs."""
    chain = Chain(origins=(PAGE,))
    answers = [
        await chain("GET", "/api/llm", ORIGIN),
        await chain("GET", "/no/such", ORIGIN, bearer=token()),
        await chain("POST", "/api/items", ORIGIN, body=b"x", bearer=token()),
        *[await chain("GET", "/api/llm", ORIGIN, bearer=token()) for _ in range(3)],
    ]
    assert [answer.status for answer in answers] == [401, 404, 415, 200, 200, 429]
    for answer in answers:
        assert answer.header("access-control-allow-origin") == PAGE
        exposed = answer.header("access-control-expose-headers") or ""
        for name in ("X-Request-ID", "traceresponse", "RateLimit", "RateLimit-Policy", "Retry-After"):
            assert name in exposed.split(", ")
        assert answer.header("vary") == "Origin"


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "https://app.test.evil.test", "HTTPS://APP.TEST"])
async def test_other_pages_get_nothing(origin):
    """An origin that is not listed, letter by letter, is given no access."""
    answer = await Chain(origins=(PAGE,))("GET", "/open", ("origin", origin))
    assert answer.header("access-control-allow-origin") is None
    assert answer.header("vary") == "Accept, Origin"


async def test_without_origins_there_is_no_cors_at_all():
    """The default says nothing to any page."""
    answer = await Chain()("GET", "/open", ORIGIN)
    assert answer.header("access-control-allow-origin") is None
    assert answer.header("vary") == "Accept"


async def test_any_origin_by_wish():
    """`*` (refused in production) answers every page the same, so nothing varies."""
    chain = Chain(origins=("*",))
    answer = await chain("GET", "/open", ORIGIN)
    assert answer.header("access-control-allow-origin") == "*"
    assert (await chain("OPTIONS", "/api/items", *preflight())).header("access-control-allow-origin") == "*"


async def test_options_without_the_marks_of_a_preflight_is_no_preflight():
    """A token is needed, or an unknown method answers."""
    chain = Chain(origins=(PAGE,))
    assert (await chain("OPTIONS", "/api/items", ORIGIN)).status == 401
    assert (await chain("OPTIONS", "/api/items", ORIGIN, bearer=token())).status == 405
