"""Row 24: `traceparent` and baggage believed from the internet (traefik#5925)."""

import json

import pytest

from tests.otlp_receiver import OtlpReceiver
from tests.service.run.process import running

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TOLD = {
    "traceparent": f"00-{TRACE}-{SPAN}-01",
    "tracestate": "evil=1",
    "baggage": "user=root",
    "sentry-trace": f"{TRACE}-{SPAN}-1",
}


async def asked(tmp_path, headers, **settings):
    """The trace that the response names, the headers that the handler saw, and the exported server span."""
    with OtlpReceiver() as receiver:
        settings |= {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "DRAIN_SECONDS": "0"}
        async with running(tmp_path, "tests.story_service", **settings) as service:
            lines = [f"{name}: {value}" for name, value in headers]
            head, _, body = (await service.exchange(service.request("/echo", *lines))).partition(b"\r\n\r\n")
            service.signal()
            assert await service.ended() == 0
        (span,) = receiver.server_spans
    assert head.startswith(b"HTTP/1.1 200 ")
    trace = head.partition(b"traceresponse: 00-")[2].partition(b"-")[0].decode()
    assert span.trace_id == trace
    assert f'"trace_id":"{trace}"'.encode() in service.stdout
    return trace, json.loads(body), span, service.stdout


async def test_row_24_a_strangers_trace_is_a_link(tmp_path):
    """traefik#5925: from a peer that is not trusted the trace becomes a link, and all it sent with it is gone."""
    trace, seen, span, lines = await asked(tmp_path, TOLD.items(), TRUSTED_PROXIES="10.0.0.0/8")
    assert trace != TRACE
    assert span.parent_span_id == ""
    assert span.links == [(TRACE, SPAN)]
    assert span.trace_state == ""
    assert {name for name, _ in seen} & set(TOLD) == set()
    assert b"evil" not in lines
    assert b"root" not in lines


async def test_row_24_nobody_is_trusted_unasked(tmp_path):
    """Without TRUSTED_PROXIES not even loopback is believed."""
    trace, _, span, _ = await asked(tmp_path, TOLD.items())
    assert trace != TRACE
    assert (span.parent_span_id, span.links) == ("", [(TRACE, SPAN)])


async def test_row_24_a_trusted_peers_trace_is_the_parent(tmp_path):
    """From a trusted CIDR the trace is continued; baggage is still not taken over."""
    trace, _, span, lines = await asked(tmp_path, TOLD.items(), TRUSTED_PROXIES="127.0.0.0/8")
    assert trace == TRACE
    assert span.parent_span_id == SPAN
    assert span.links == []
    assert span.trace_state == "evil=1"
    assert b"root" not in lines


@pytest.mark.parametrize(
    "told",
    [
        [("traceparent", "nonsense")],
        [("traceparent", f"00-{'0' * 32}-{SPAN}-01")],
        [("traceparent", f"ff-{TRACE}-{SPAN}-01")],
        [("traceparent", TOLD["traceparent"]), ("traceparent", f"00-{'1' * 32}-{SPAN}-01")],
        [("TraceParent", f"00-{TRACE.upper()}-{SPAN}-01")],
        [("tracestate", "evil=1"), ("baggage", "user=root")],
    ],
)
@pytest.mark.parametrize("trusted", ["10.0.0.0/8", "127.0.0.0/8"])
async def test_row_24_a_malformed_trace_is_neither(tmp_path, told, trusted):
    """What is no trace, or two (W3C: begin anew), is no parent and no link, whoever sends it."""
    trace, _, span, _ = await asked(tmp_path, told, TRUSTED_PROXIES=trusted)
    assert trace not in {TRACE, "1" * 32, "0" * 32}
    assert (span.parent_span_id, span.links) == ("", [])
