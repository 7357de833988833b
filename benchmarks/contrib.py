"""The contrib FastAPI instrumentation by itself, set up as its documentation says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from benchmarks.subject import Subject, bare_app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI


# Callgrind makes a request fifty times as long, but not a timer: batches are to be as full as they are at speed.
SCHEDULE_DELAY_MS = 60_000


class Discard(SpanExporter):
    """Takes spans and forgets them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - that is the point
        """Reports success."""
        return SpanExportResult.SUCCESS


def build(sampling: float, endpoint: str, *, export: bool) -> Subject:
    """Builds the bare app with contrib's server span; see `instrumented`."""
    return instrumented(bare_app(), sampling, endpoint, export=export)


def instrumented(app: FastAPI, sampling: float, endpoint: str, *, export: bool) -> Subject:
    """Puts contrib's server span around an app, without the spans of send and receive.

    Without `export` the batch processor hands the spans to an exporter that throws them away before
    serialising them, so that only what happens because of the request is counted.

    Args:
        app: the app.
        sampling: the share of traces that is sampled.
        endpoint: base URL of the discarding endpoint.
        export: whether spans are serialised and sent.
    """
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http"
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(sampling)), resource=Resource.create({"service.name": "bench"})
    )
    exporter: SpanExporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces") if export else Discard()
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=SCHEDULE_DELAY_MS))
    trace.set_tracer_provider(provider)
    propagate.set_global_textmap(TraceContextTextMapPropagator())
    FastAPIInstrumentor.instrument_app(app, exclude_spans=["send", "receive"])

    async def drain() -> None:
        provider.force_flush()

    return Subject(app, drain)
