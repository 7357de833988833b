"""Edge trust: whose headers are believed."""

import json
from ipaddress import ip_address, ip_network

import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st

from telemetry import current_request
from telemetry.forwarded import client_address
from tests.telemetry.asgi import Answer, Watched, serving, watch

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48"))
TRUSTED_PEER = "10.0.0.1"
STRANGER = "203.0.113.9"
TRACEPARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def make_app() -> FastAPI:
    """An app that says what the edge made of a request."""
    app = FastAPI()

    @app.get("/seen")
    async def seen(request: Request) -> dict[str, object]:
        record = current_request(request.scope)
        return {
            "client": record.client,
            "scope_client": request.scope["client"][0],
            "peer": record.peer,
            "trusted": record.peer_trusted,
            "forwarded": record.forwarded,
            "headers": sorted({name.decode() for name, _ in request.scope["headers"]}),
        }

    return app


async def ask(peer: str | None, *headers: tuple[bytes, bytes], proxies=PROXIES) -> tuple[dict, Answer, Watched]:
    """Send one request from a peer."""
    app = make_app()
    watched = watch(app, trusted_proxies=proxies)
    async with serving(app) as served:
        answer = await served.get("/seen", peer=peer, headers=headers)

    return (json.loads(answer.body) if answer.status == 200 else {}), answer, watched


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ([(b"x-forwarded-for", b"198.51.100.7")], "198.51.100.7"),
        ([(b"x-forwarded-for", b"198.51.100.7, 10.2.3.4")], "198.51.100.7"),
        ([(b"x-forwarded-for", b"6.6.6.6, 198.51.100.7, 10.2.3.4")], "198.51.100.7"),
        ([(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"198.51.100.7")], "198.51.100.7"),
        ([(b"x-forwarded-for", b"198.51.100.7:4711")], "198.51.100.7"),
        ([(b"x-forwarded-for", b"2001:db8::7")], "2001:db8::7"),
        ([(b"x-forwarded-for", b"[2001:db8::7]:4711")], "2001:db8::7"),
        ([(b"x-forwarded-for", b"::ffff:198.51.100.7")], "198.51.100.7"),
        ([(b"x-forwarded-for", b"198.51.100.7, 2001:db8:ffff::1")], "198.51.100.7"),
        ([(b"x-forwarded-for", b"10.9.9.9")], "10.9.9.9"),
        ([(b"forwarded", b"for=198.51.100.7")], "198.51.100.7"),
        ([(b"forwarded", b"For=198.51.100.7;proto=https;by=10.0.0.1")], "198.51.100.7"),
        ([(b"forwarded", b'proto=https; for="198.51.100.7:80"')], "198.51.100.7"),
        ([(b"forwarded", b'for="[2001:db8::7]:4711"')], "2001:db8::7"),
        ([(b"forwarded", b"for=6.6.6.6, for=198.51.100.7, for=10.2.3.4")], "198.51.100.7"),
        ([(b"forwarded", b"for=198.51.100.7"), (b"x-forwarded-for", b"198.51.100.7")], "198.51.100.7"),
    ],
)
async def test_client_is_the_rightmost_untrusted_hop(headers: list[tuple[bytes, bytes]], client: str) -> None:
    """Behind a trusted proxy the client is the right-most hop that is no proxy of ours, whatever stands left of it."""
    seen, _, _ = await ask(TRUSTED_PEER, *headers)
    assert (seen["client"], seen["scope_client"]) == (client, client)


@pytest.mark.parametrize(
    "headers",
    [
        [(b"x-forwarded-for", b"198.51.100.7"), (b"forwarded", b"for=6.6.6.6")],
        [(b"x-forwarded-for", b"unknown")],
        [(b"x-forwarded-for", b"")],
        [(b"x-forwarded-for", b"198.51.100.7, nonsense")],
        [(b"x-forwarded-for", b"198.51.100.7,")],
        [(b"x-forwarded-for", b"999.1.1.1")],
        [(b"x-forwarded-for", b"198.51.100.7:port")],
        [(b"forwarded", b"for=_hidden")],
        [(b"forwarded", b"for=unknown")],
        [(b"forwarded", b"for=198.51.100.7, for=_hidden")],
        [(b"forwarded", b"by=198.51.100.7")],
        [(b"forwarded", b'for="198.51.100.7')],
        [(b"forwarded", b"\xff\xfe;;==,")],
    ],
)
async def test_what_cannot_be_read_leaves_the_peer(headers: list[tuple[bytes, bytes]]) -> None:
    """Disagreeing, obfuscated and malformed forwarding headers are not believed: the client is the trusted peer."""
    seen, _, _ = await ask(TRUSTED_PEER, *headers)
    assert (seen["client"], seen["scope_client"]) == (TRUSTED_PEER, TRUSTED_PEER)


async def test_unreadable_hop_behind_a_proxy_leaves_that_proxy() -> None:
    """Reading stops at the first unreadable hop: the client is the last hop that could be named."""
    seen, _, _ = await ask(TRUSTED_PEER, (b"x-forwarded-for", b"6.6.6.6, nonsense, 10.2.3.4"))
    assert seen["client"] == "10.2.3.4"


@pytest.mark.parametrize("name", [b"x-forwarded-for", b"forwarded"])
async def test_pain_7_stranger_chooses_no_address(name: bytes) -> None:
    """Pain 7: a peer that is not trusted cannot choose its address; that it tried is known."""
    value = b"for=198.51.100.7" if name == b"forwarded" else b"198.51.100.7"
    seen, _, _ = await ask(STRANGER, (name, value))
    assert seen["client"] == seen["scope_client"] == seen["peer"] == STRANGER
    assert (seen["trusted"], seen["forwarded"]) == (False, True)


async def test_nobody_is_trusted_by_default() -> None:
    """Without trusted proxies not even loopback is believed."""
    seen, _, _ = await ask("127.0.0.1", (b"x-forwarded-for", b"198.51.100.7"), proxies=())
    assert (seen["client"], seen["trusted"]) == ("127.0.0.1", False)


@pytest.mark.parametrize("peer", ["::ffff:10.0.0.1", "2001:db8:ffff::2"])
async def test_proxy_may_speak_ipv6(peer: str) -> None:
    """A proxy is recognised by its IPv6 and by its IPv4-mapped address."""
    seen, _, _ = await ask(peer, (b"x-forwarded-for", b"198.51.100.7"))
    assert (seen["client"], seen["trusted"]) == ("198.51.100.7", True)


async def test_peer_without_an_address_is_served() -> None:
    """A peer without address (a Unix socket) is served and not trusted."""
    app = FastAPI()

    @app.get("/seen")
    async def seen(request: Request) -> bool:
        return current_request(request.scope).peer_trusted

    watch(app, trusted_proxies=PROXIES)
    async with serving(app) as served:
        answer = await served.get("/seen", peer=None, headers=[(b"x-forwarded-for", b"10.0.0.1")])
    assert (answer.status, answer.body) == (200, b"false")


async def test_pain_24_strangers_trace_is_linked_not_continued() -> None:
    """Pain 24: a stranger's traceparent becomes a link; its trace headers reach nobody below."""
    headers = [
        (b"traceparent", TRACEPARENT),
        (b"tracestate", b"a=b"),
        (b"baggage", b"user=eve"),
        (b"sentry-trace", b"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"),
    ]
    seen, answer, watched = await ask(STRANGER, *headers)
    (span,) = watched.recorder.server_spans()
    assert seen["headers"] == ["host"]
    assert span.parent is None
    assert answer.trace_id != TRACEPARENT.decode().split("-")[1]
    (link,) = span.links
    assert f"{link.context.trace_id:032x}-{link.context.span_id:016x}" == TRACEPARENT.decode()[3:52]
    assert len(link.context.trace_state) == 0


async def test_trusted_proxys_trace_is_continued() -> None:
    """A trusted proxy's traceparent is the parent of the server span."""
    _, answer, watched = await ask(TRUSTED_PEER, (b"traceparent", TRACEPARENT))
    (span,) = watched.recorder.server_spans()
    assert answer.trace_id == TRACEPARENT.decode().split("-")[1]
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == TRACEPARENT.decode().split("-")[2]


@pytest.mark.parametrize("peer", [TRUSTED_PEER, STRANGER])
@pytest.mark.parametrize(
    "values",
    [
        [b""],
        [b"garbage"],
        [b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01"],
        [b"00-0af7651916cd43dd8448eb211c80319c-" + b"0" * 16 + b"-01"],
        [b"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
        [b"00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01"],
        [b"\xff" * 55],
        [b"00-" + b"\xc3\xa9" * 16 + b"-b7ad6b7169203331-01"],
        [TRACEPARENT + b"-extra"],
        [b"0" * 9000],
    ],
)
async def test_malformed_traceparent_begins_a_trace(peer: str, values: list[bytes]) -> None:
    """A malformed traceparent is neither continued nor linked, from anyone; the request has a trace of its own."""
    _, answer, watched = await ask(peer, *[(b"traceparent", value) for value in values])
    (span,) = watched.recorder.server_spans()
    assert answer.status == 200
    assert (span.parent, tuple(span.links)) == (None, ())


async def test_two_traceparents_of_a_stranger_are_not_linked() -> None:
    """Of two traceparents none is linked: which one was meant is unknown."""
    _, answer, watched = await ask(STRANGER, (b"traceparent", TRACEPARENT), (b"traceparent", TRACEPARENT))
    assert answer.status == 200
    assert tuple(watched.recorder.server_spans()[0].links) == ()


@pytest.mark.parametrize("value", [b"\xff\\x", b"\xff\xfe", b"\\u\xff", b"\xc3\xa9", b"caf\xe9\\N{x}", b"\xed\xa0\x80"])
@pytest.mark.parametrize("name", [b"user-agent", b"host", b"x-custom", b"x-forwarded-for", b"traceparent", b"cookie"])
async def test_header_that_is_no_utf8_is_served(name: bytes, value: bytes) -> None:
    """Header bytes that are not UTF-8 never give a 500, and the request has its span and access event."""
    _, answer, watched = await ask(TRUSTED_PEER, (name, value))
    assert (answer.status, answer.error) == (200, None)
    assert len(watched.recorder.server_spans()) == 1
    assert len(watched.recorder.events("http.request.completed")) == 1


async def test_utf8_header_reaches_the_app_unchanged() -> None:
    """A header of valid UTF-8 is handed on byte for byte."""
    app = FastAPI()

    @app.get("/echo")
    async def echo(request: Request) -> str:
        return dict(request.scope["headers"])[b"x-name"].hex()

    watch(app)
    async with serving(app) as served:
        answer = await served.get("/echo", headers=[(b"x-name", "Zoë".encode())])
    assert answer.body.decode() == f'"{"Zoë".encode().hex()}"'


def is_proxy(address: str) -> bool:
    """Whether an address is in 10/8, without the product's code."""
    return address.startswith("10.") and ip_address(address) in ip_network("10.0.0.0/8")


HOP = st.one_of(
    st.binary(max_size=24),
    st.ip_addresses().map(lambda ip: str(ip).encode()),
    st.sampled_from([b"10.0.0.9", b"10.1.1.1:80", b'"[2001:db8::1]:80"', b"unknown", b"_x", b"for=10.0.0.1", b"for="]),
)
FIELD = st.lists(st.lists(HOP).map(b",".join))


@given(x_forwarded_for=FIELD, forwarded=FIELD)
def test_client_address_never_raises(x_forwarded_for: list[bytes], forwarded: list[bytes]) -> None:
    """Whatever stands in the forwarding headers, the answer is the peer or a plain IP address."""
    client = client_address("10.0.0.1", x_forwarded_for, forwarded, is_proxy)
    assert client == "10.0.0.1" or str(ip_address(client)) == client


@given(left=st.lists(st.ip_addresses(v=4).map(str), max_size=5), proxies=st.lists(st.integers(1, 254), max_size=3))
def test_prepended_hops_never_matter(left: list[str], proxies: list[int]) -> None:
    """What a client writes to the left of its own address changes nothing."""
    hops = [*left, "198.51.100.7", *(f"10.0.0.{last}" for last in proxies)]
    assert client_address("10.0.0.1", [", ".join(hops).encode()], [], is_proxy) == "198.51.100.7"


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ('for=198.51.100.7;host="a"', "198.51.100.7"),
        ('For="198.51.100.7:4711" ; proto=http', "198.51.100.7"),
        ('for=203.0.113.9, for="198.51.100.7" ,for=10.0.0.3', "198.51.100.7"),
        ('proto=http;host="x;for=203.0.113.9";for=198.51.100.7', "198.51.100.7"),
        ('for=198.51.100.7;host="a, for=203.0.113.9"', "198.51.100.7"),
        ('host="a\\", for=203.0.113.9";for=198.51.100.7', "198.51.100.7"),
        ('for="[2001:db8::1]:80";host="[2001:db8::2]"', "2001:db8::1"),
        # Where a quoted string does not end, nobody knows who wrote what.
        ('for=203.0.113.9;host="a, for=198.51.100.7', "10.0.0.1"),
        ("host=a b;for=203.0.113.9", "10.0.0.1"),
        ('for="203.0.113.9\\"', "10.0.0.1"),
        ("proto=http", "10.0.0.1"),
        ("for=unknown", "10.0.0.1"),
    ],
)  # fmt: skip
def test_what_a_client_has_quoted_is_no_hop(value: str, client: str) -> None:
    """Of `Forwarded` only a pair outside of quoted strings names a hop (RFC 7239 section 4)."""
    assert client_address("10.0.0.1", [], [value.encode()], is_proxy) == client


@given(x_forwarded_for=FIELD, forwarded=FIELD)
def test_untrusted_peers_headers_never_matter(x_forwarded_for: list[bytes], forwarded: list[bytes]) -> None:
    """For a peer that is not trusted the answer is the peer."""
    assert client_address(STRANGER, x_forwarded_for, forwarded, is_proxy) == STRANGER
