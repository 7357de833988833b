"""Every way out of a process at once, kept byte by byte."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import httpx
from fastapi import FastAPI
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from telemetry import Telemetry, TelemetrySettings, names
from tests.leaks.search import Finding, Search
from tests.otlp_receiver import OtlpReceiver
from tests.patience import PATIENCE, time_to_flush
from tests.sentry_endpoint import SentryEndpoint

OPEN_METRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
SINKS = ("logs", "traces", "otlp_logs", "sentry")
PSEUDONYM_KEY = b"a key of the tests' own"
# Fewer than the queues take, so that nothing is lost before it was looked at.
_WAITING = 2000


@dataclass
class Wire:
    """What was written and sent.

    Attributes:
        otlp: the receiver of traces and logs.
        sentry: the receiver of envelopes.
        lines: what went to standard output.
        expositions: the answers of /metrics, in both formats.
    """

    otlp: OtlpReceiver
    sentry: SentryEndpoint
    lines: list[bytes] = field(default_factory=list)
    expositions: list[bytes] = field(default_factory=list)

    def found(self, markers: Iterable[str], *, but: str = "") -> list[Finding]:
        """Look for markers in every byte, HTTP headers included.

        Args:
            markers: in whatever spelling.
            but: a span attribute whose value is not looked at.
        """
        search = Search(markers)
        findings = search.bytes("stdout", b"".join(self.lines)) + search.bytes("/metrics", b"".join(self.expositions))
        for path, headers, sent in self.otlp.requests():
            body = _without(sent, but) if but and path == "/v1/traces" else sent
            findings += search.otlp(path, body) + search.texts(f"{path} headers", headers.values())
        findings += search.bytes("sentry", b"\n".join(self.sentry.bodies()))
        heads = [value for headers in self.sentry.requests() for value in headers.values()]
        return findings + search.texts("sentry headers", heads)

    def sinks_with(self, marker: str) -> set[str]:
        """Name the sinks in which a marker is."""
        names_of = {"stdout": "logs", "/metrics": "metrics", "/v1/traces": "traces", "/v1/logs": "otlp_logs"}
        return {names_of.get(finding.where.split()[0], "sentry") for finding in self.found([marker])}


def _without(body: bytes, attribute: str) -> bytes:
    message = ExportTraceServiceRequest.FromString(body)
    for resource in message.resource_spans:
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            kept = [pair for pair in span.attributes if pair.key != attribute]
            del span.attributes[:]
            span.attributes.extend(kept)
    return message.SerializeToString()


@contextmanager
def listening() -> Iterator[Wire]:
    """Open the receivers."""
    with OtlpReceiver() as otlp, SentryEndpoint() as sentry, time_to_flush():
        yield Wire(otlp, sentry)


@dataclass
class Instrumented:
    """An application that runs and is listened to."""

    app: FastAPI
    telemetry: Telemetry
    client: httpx.AsyncClient
    wire: Wire

    async def exported(self) -> None:
        """Let the exporters catch up: their queues are bounded, and Sentry's is short."""
        gates = (self.telemetry.spans.gate, self.telemetry.log_records.gate)
        await asyncio.to_thread(self.telemetry.sentry._client.flush, PATIENCE)
        while any(gate.waiting > _WAITING for gate in gates):
            await asyncio.to_thread(time.sleep, 0.01)

    async def scrape(self) -> None:
        """Ask for the metrics, in both formats."""
        for headers in ({}, OPEN_METRICS):
            answer = await self.client.get("/metrics", headers=headers)
            assert answer.status_code == 200
            self.wire.expositions.append(answer.content)

    def lost(self) -> dict[tuple[str, str], float]:
        """Give what never left, by signal and reason."""
        registry, name = self.telemetry.metrics.registry, names.DROPPED_ITEMS.name
        counts = {
            (signal, reason): registry.get_sample_value(name, {"signal": signal, "reason": reason})
            for signal in names.SIGNALS
            for reason in names.DROP_REASONS
        }
        return {labels: count for labels, count in counts.items() if count}

    def failures(self, sink: str) -> float:
        """Give how many items of a sink could not be scrubbed."""
        labels = {"sink": sink}
        return self.telemetry.metrics.registry.get_sample_value(names.PII_SCRUB_FAILURES.name, labels)

    def redactions(self, sink: str) -> float:
        """Give how often anything was redacted in a sink."""
        registry = self.telemetry.metrics.registry
        return sum(
            sample.value
            for family in registry.collect()
            for sample in family.samples
            if sample.name == names.PII_REDACTIONS.name and sample.labels["sink"] == sink
        )


def settings_for(wire: Wire, **given: object) -> TelemetrySettings:
    """Settings that send everything to a wire."""
    defaults = {
        "service_name": "foreign",
        "otlp_endpoint": wire.otlp.endpoint,
        "sentry_dsn": wire.sentry.dsn,
        "sentry_traces_sample_rate": 1.0,
        "pseudonym_key": PSEUDONYM_KEY,
    }
    return TelemetrySettings(**(defaults | given))


@asynccontextmanager
async def served(app: FastAPI, telemetry: Telemetry, wire: Wire, **headers: str) -> AsyncIterator[Instrumented]:
    """Run an instrumented application, standard output kept; leaving it has sent everything."""
    telemetry.logs.write = wire.lines.append
    # The client's own lines would be written here too, with what it was told to send.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("127.0.0.1", 50000))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service.test", headers=headers) as client,
    ):
        yield Instrumented(app, telemetry, client, wire)
