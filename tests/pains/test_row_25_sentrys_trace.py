"""Row 25: Sentry and OpenTelemetry disagree on the trace (sentry-python#3230, #1940)."""

import asyncio

import pytest

from tests.leaks.real import real
from tests.leaks.wire import listening

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STRANGERS = {
    "sentry-trace": f"{TRACE}-{SPAN}-1",
    "baggage": f"sentry-trace_id={TRACE},sentry-public_key=other,sentry-sampled=true",
    "traceparent": f"00-{TRACE}-{SPAN}-01",
}


@pytest.mark.parametrize("headers", [{}, STRANGERS], ids=["alone", "a stranger's"])
async def test_row_25_the_event_is_in_the_spans_trace(tmp_path, headers):
    """sentry-python#3230: an unhandled error's event has the trace and the span of its request's server span."""
    with listening() as wire:
        async with real(wire, tmp_path) as running:
            answer = await running.client.get("/boom", headers=headers)
        trace, span = answer.headers["traceresponse"].split("-")[1:3]
        (event,) = wire.sentry.payloads("event")
        (server,) = wire.otlp.server_spans
        assert (server.trace_id, server.span_id) == (trace, span)
        assert (event["contexts"]["trace"]["trace_id"], event["contexts"]["trace"]["span_id"]) == (trace, span)
        assert trace != TRACE


async def test_row_25_the_transaction_and_the_envelopes_too(tmp_path):
    """sentry-python#1940: transactions and the envelopes' own headers name the same trace, and no stranger's."""
    with listening() as wire:
        async with real(wire, tmp_path) as running:
            for url in ("/boom", "/api/v1/jobs?limit=1"):
                await running.client.get(url, headers=STRANGERS)
        traces = {span.trace_id for span in wire.otlp.server_spans}
        assert len(traces) == 2
        assert {event["contexts"]["trace"]["trace_id"] for event in wire.sentry.payloads("transaction")} == traces
        headed = {headers["trace"]["trace_id"] for headers, _ in wire.sentry.envelopes() if "trace" in headers}
        assert headed <= traces
        assert TRACE.encode() not in b"".join(wire.sentry.bodies())


async def test_row_25_concurrent_requests_keep_their_own(tmp_path):
    """Requests that fail at the same time each have their own trace in their event."""
    with listening() as wire:
        async with real(wire, tmp_path) as running:
            answers = await asyncio.gather(*(running.client.get("/boom") for _ in range(20)))
        told = sorted(event["contexts"]["trace"]["trace_id"] for event in wire.sentry.payloads("event"))
        assert told == sorted(answer.headers["traceresponse"].split("-")[1] for answer in answers)
