"""Bodies, hosts, content types, and the headers of every response."""

import asyncio
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.middleware.hosts import Hosts
from service.middleware.structure import Structure
from tests.service.chain.chain import Chain, token

JSON = ("content-type", "application/json")
LIMIT = 1000


async def test_a_body_of_exactly_the_limit_is_read():
    """The limit itself is allowed, announced or in chunks."""
    chain = Chain()
    for body in (b"x" * LIMIT, [b"x" * 400, b"x" * 600]):
        answer = await chain("POST", "/api/raw", JSON, body=body, bearer=token())
        assert (answer.status, answer.json()) == (200, {"bytes": LIMIT})


@pytest.mark.parametrize("path", ["/api/items", "/api/raw"])
@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("transfer-encoding", "chunked"),),
        (("content-length", "10"),),
        (("content-length", "1000"),),
    ],
)
async def test_chunked_and_lying_bodies_are_counted_as_they_arrive(headers, path):
    """A missing or lying Content-Length changes nothing: 413 problem, and the connection closes (pains 11)."""
    chunks = [b"x" * 100] * 11
    answer = await Chain()("POST", path, JSON, *headers, body=chunks, bearer=token())
    assert (answer.status, answer.header("content-type")) == (413, "application/problem+json")
    assert answer.header("connection") == "close"
    assert answer.record.rejection == ("owasp", "body_too_large")


async def test_a_body_that_announces_too_much_is_refused_unread():
    """With an honest Content-Length nothing is read; a huge number is a number."""

    async def receive() -> dict[str, object]:
        pytest.fail("the body was read")

    for length in ("1001", "9" * 19):
        headers = (JSON, ("content-length", length))
        answer = await Chain()("POST", "/api/items", *headers, receive=receive, bearer=token())
        assert (answer.status, answer.header("connection")) == (413, "close")


@pytest.mark.parametrize("length", ["-1", "+1", "1e3", "ten", " 10", "9" * 30, "1_0"])
async def test_a_length_that_is_none_is_400(length):
    """What is no number, or an absurd one, is refused."""
    headers = (JSON, ("content-length", length))
    answer = await Chain()("POST", "/api/items", *headers, body=b"{}", bearer=token())
    assert (answer.status, answer.record.rejection) == (400, ("owasp", "malformed_head"))


async def test_a_slow_body_is_408():
    """A client that stops in mid-body is answered after the idle time, and the connection closes."""

    async def receive() -> dict[str, object]:
        await asyncio.sleep(60)
        raise AssertionError

    chain = Chain(idle=0.02)
    answer = await chain("POST", "/api/items", JSON, ("content-length", "10"), receive=receive, bearer=token())
    assert (answer.status, answer.header("connection")) == (408, "close")
    assert answer.record.rejection == ("owasp", "slow_body")


async def test_a_body_that_drips_is_408():
    """Steady drops under the idle time end at the total one."""

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    chain = Chain(idle=1.0, total=0.1)
    answer = await chain("POST", "/api/raw", JSON, ("content-length", "900"), receive=receive, bearer=token())
    assert answer.status == 408


async def test_an_answer_before_the_body_was_read_closes_the_connection():
    """What is left of an unread body does not keep the connection; a read one lets it stay."""
    chain = Chain()
    unread = await chain("POST", "/api/unread", JSON, body=b"{}", bearer=token())
    assert (unread.status, unread.header("connection")) == (200, "close")
    read = await chain("POST", "/api/items", JSON, body=b'{"name": "n"}', bearer=token())
    assert (read.status, read.header("connection")) == (200, None)
    assert (await chain("POST", "/api/unread", bearer=token())).header("connection") is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((JSON,), 200),
        ((("content-type", "application/json; charset=utf-8"),), 200),
        ((("content-type", 'Application/JSON;Charset="UTF-8"'),), 200),
        ((("content-type", "application/merge-patch+json"),), 200),
        ((JSON, ("content-encoding", "identity")), 200),
        ((), 415),
        ((("content-type", "text/plain"),), 415),
        ((("content-type", "application/x-www-form-urlencoded"),), 415),
        ((("content-type", "text/json+json"),), 415),
        ((("content-type", "application/jsonx"),), 415),
        ((("content-type", "application/json; charset=utf-16"),), 415),
        ((("content-type", "application/json; charset=latin-1"),), 415),
        ((JSON, ("content-encoding", "gzip")), 415),
        ((JSON, ("content-encoding", "identity"), ("content-encoding", "gzip")), 415),
        ((JSON, ("content-encoding", "gzip"), ("content-encoding", "identity")), 415),
        ((JSON, JSON), 415),
    ],
)
async def test_bodies_are_json(headers, status):
    """A body on a bearer route is JSON in UTF-8, sent as it is; anything else is a 415 problem."""
    answer = await Chain()("POST", "/api/items", *headers, body=b'{"name": "n"}', bearer=token())
    assert answer.status == status
    if status == 415:
        assert answer.record.rejection == ("owasp", "content_type")


async def test_public_routes_choose_their_types():
    """Only bearer routes are bound to JSON."""
    headers = ("content-type", "application/csp-report")
    assert (await Chain()("POST", "/api/form", headers, body=b"x")).status == 200


async def test_hosts_are_checked_but_for_probes():
    """Another host is a 400 problem, probes come by address."""
    chain = Chain(hosts=("api.test", "*.example.com"))
    assert (await chain("GET", "/open", host="evil.test")).status == 400
    assert (await chain("GET", "/open", host=None)).status == 400
    assert (await chain("GET", "/open", ("host", "api.test"))).record.rejection == ("owasp", "host")
    assert (await chain("GET", "/open", host="a.example.com:8000")).status == 200
    assert (await chain("GET", "/healthz", host="10.0.0.7:8000")).status == 200


@pytest.mark.parametrize(
    ("host", "served"),
    [
        (b"api.test", True),
        (b"API.TEST", True),
        (b"api.test:8000", True),
        (b"api.test.", True),
        (b"a.example.com", True),
        (b"a.b.example.com", True),
        (b"example.com", False),
        (b"badexample.com", False),
        (b"api.test.evil.test", False),
        (b"api.test@evil.test", False),
        (b"[::1]:8000", True),
        (b"[::2]", False),
        (b"", False),
        (b"\xff", False),
        (b".example.com", False),
        (b"a..example.com", False),
        (b"evil.test\\.example.com", False),
        (b"a.example.com:evil", False),
        (b"api.test:x@evil.test", False),
        (b"[::1]evil.test", False),
    ],
)
def test_which_hosts_are_served(host, served):
    """Exact names, and names below a wildcard; ports and a root dot make no difference."""
    assert Hosts(("api.test", "*.example.com", "[::1]")).serves(host) is served


@pytest.mark.parametrize(
    ("method", "path", "bearer", "status"),
    [
        ("GET", "/open", None, 200),
        ("GET", "/healthz", None, 200),
        ("GET", "/api/llm", None, 401),
        ("GET", "/no/such", token(), 404),
        ("DELETE", "/api/items", token(), 405),
        ("POST", "/api/items", token(), 422),
    ],
)
async def test_security_headers_are_on_every_response(method, path, bearer, status):
    """Whoever answers, the same headers travel, each once."""
    answer = await Chain(production=True)(method, path, bearer=bearer)
    assert answer.status == status
    expected = {
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "strict-transport-security": "max-age=31536000",
        "cache-control": "public" if path == "/open" else "no-store",
    }
    assert expected == {name: answer.header(name) for name in expected}
    assert "camera=()" in (answer.header("permissions-policy") or "")


async def test_https_is_insisted_on_in_production_only():
    """A development machine has no certificate."""
    assert (await Chain()("GET", "/open")).header("strict-transport-security") is None


async def test_other_scopes_pass_through():
    """Lifespan and WebSocket scopes are no business of the layers."""
    seen = []

    async def app(scope, _receive, _send):
        seen.append(scope["type"])

    chain = Chain()
    layer = chain.chain
    innermost = layer.app.app
    innermost.app = app
    await layer({"type": "lifespan"}, None, None)
    await layer({"type": "websocket"}, None, None)
    assert seen == ["lifespan", "websocket"]


@pytest.mark.parametrize("path", ["/healthz\n", "/open\n", "/api/inner/me/cv\n", "/no/such\n"])
async def test_a_final_newline_makes_another_path(path):
    """Such a path is unknown, limited and not open, whatever the router's patterns would match."""
    chain = Chain()
    answer = await chain("GET", path)
    assert (answer.status, answer.header("ratelimit-policy")) == (401, '"default";q=5;w=60')
    answer = await chain("GET", path, bearer=token())
    assert (answer.status, answer.header("ratelimit-policy")) == (404, '"default";q=5;w=60')
    assert answer.json()["type"] == "urn:clearstory:problem:not-found"


@pytest.mark.parametrize("unit", [b"[],", b"{},", b"1,", b'"",', b'"a":[],', b'"', b'"\\\\",'])
@pytest.mark.parametrize("path", ["/api/items", "/api/form"])
async def test_too_much_structure_is_refused_as_it_arrives(unit, path):
    """What would hold the event loop while it is parsed is a 413, before the rest of it arrives."""
    left = [b"[", *[unit * 100] * 200]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": left.pop(0), "more_body": True}

    answer = await Chain(max_body_bytes=10_000_000)("POST", path, JSON, bearer=token(), receive=receive)
    assert (answer.status, answer.header("content-type")) == (413, "application/problem+json")
    assert answer.header("connection") == "close"
    assert answer.record.rejection == ("owasp", "body_too_large")
    assert len(left) > 20


@pytest.mark.parametrize("text", [",[{" * 4_000, '"' * 12_000, "\\" * 12_000, '\\"' * 6_000, "\n" * 12_000])
@pytest.mark.parametrize("size", [1, 7, 65_536])
async def test_texts_may_hold_any_structure(text, size):
    """Commas, brackets, quotes and backslashes of a text are no structure, wherever it is cut into chunks."""
    body = json.dumps({"name": text}).encode()
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    answer = await Chain(max_body_bytes=10_000_000)("POST", "/api/items", JSON, body=chunks, bearer=token())
    assert (answer.status, answer.json()["name"]) == (200, text)


@given(text=st.text(st.sampled_from('"\\,[{a')), cuts=st.lists(st.integers(0, 40)))
def test_structure_is_counted_wherever_a_body_is_cut(text, cuts):
    """Of any body in any chunks, all that is outside its texts is counted, and nothing inside."""
    body = json.dumps({"a": [text, 1]}).encode()
    edges = sorted({0, *(cut for cut in cuts if cut < len(body)), len(body)})
    chunks = [body[start:end] for start, end in itertools.pairwise(edges)]
    enough, too_little = Structure(4 + 1 + 2), Structure(4 + 1 + 1)
    assert not any(enough.exceeded_by(chunk) for chunk in chunks)
    assert any(too_little.exceeded_by(chunk) for chunk in chunks)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
async def test_json_is_utf_8(encoding):
    """What calls itself JSON and is in UTF-16 is a 415: the structure of the one could hide in the other."""
    body = '{"name": "\u0122"}'.encode(encoding)
    answer = await Chain()("POST", "/api/items", JSON, body=body, bearer=token())
    assert answer.status == 415
    assert answer.record.rejection == ("owasp", "content_type")


async def test_bodies_that_are_not_json_have_no_structure():
    """Where no JSON is parsed, bytes alone count."""
    chain = Chain(max_body_bytes=1_000_000)
    answer = await chain("POST", "/api/form", ("content-type", "text/csv"), body=b"1,2\0" * 20_000)
    assert answer.json() == {"bytes": 80_000}
