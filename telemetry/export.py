"""Exports spans and log records: bounded, off the request's path, every loss counted, every end on time.

The SDK's batch processors drop the oldest item of a full queue without a count, wait 30 s at shutdown and
ignore the deadline of a flush (opentelemetry-python#4568, #4813; posthog#70964). Here a gate before the queue
counts and refuses, and whoever stops a pipeline waits for it as long as it likes.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan

    from telemetry.settings import TelemetrySettings

    Lost = Callable[[str, str, int], None]
    """Called with signal, reason and number of items."""

QUEUE_CAPACITY = 8192
_BATCH = 512
# The SDK's queue holds whatever the gate admits, so that it never drops by itself.
BATCHING: dict[str, Any] = {
    "max_queue_size": QUEUE_CAPACITY,
    "max_export_batch_size": _BATCH,
    "schedule_delay_millis": 1000,
    "meter_provider": NoOpMeterProvider(),
}


class Gate:
    """Counts what waits for an exporter, the batch being sent included, and refuses what would overflow.

    Args:
        signal: `traces` or `logs`.
        lost: told of every loss.
    """

    def __init__(self, signal: str, lost: Lost) -> None:
        self.signal = signal
        self.lost = lost
        self.waiting = 0
        self._lock = threading.Lock()

    def admit(self) -> bool:
        """Say whether one more item may wait; a refusal is counted."""
        with self._lock:
            if self.waiting < QUEUE_CAPACITY:
                self.waiting += 1
                return True
        self.lost(self.signal, "queue_full", 1)
        return False

    def leave(self, items: int, *, sent: bool) -> None:
        """Take a batch off the count; one that was not sent is a loss."""
        with self._lock:
            self.waiting -= items
        if not sent:
            self.lost(self.signal, "export_failed", items)


class _GatedSpanExporter(SpanExporter):
    def __init__(self, exporter: SpanExporter, gate: Gate) -> None:
        self._exporter = exporter
        self._gate = gate

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            self._gate.leave(len(spans), sent=result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _GatedLogExporter(LogRecordExporter):
    def __init__(self, exporter: LogRecordExporter, gate: Gate) -> None:
        self._exporter = exporter
        self._gate = gate

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        result = LogRecordExportResult.FAILURE
        try:
            result = self._exporter.export(batch)
        finally:
            self._gate.leave(len(batch), sent=result is LogRecordExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class _Pipeline:
    """Closed until `start`, and again after `stop`; its thread is made at `start`, after any fork (#3307).

    Args:
        signal: `traces` or `logs`.
        settings: endpoint and headers.
        lost: told of every loss.
    """

    def __init__(self, signal: str, settings: TelemetrySettings, lost: Lost) -> None:
        self.gate = Gate(signal, lost)
        self._batch: Any = None
        self.ended = False
        if settings.otlp_endpoint is not None:
            self._endpoint = f"{settings.otlp_endpoint.rstrip('/')}/v1/{signal}"
            self._headers = dict(settings.otlp_headers)
        self.enabled_by_settings = settings.otlp_endpoint is not None

    def start(self) -> None:
        """Begin to export, where there is an endpoint."""
        self.ended = False
        if self.enabled_by_settings:
            self._batch = self._make_batch(
                {"endpoint": self._endpoint, "headers": self._headers, "meter_provider": NoOpMeterProvider()}
            )

    def _make_batch(self, options: dict[str, Any]) -> Any:  # noqa: ANN401 - the two SDK classes share no base
        raise NotImplementedError

    def stop(self) -> None:
        """Send what waits and end. Blocks for as long as the endpoint does; what comes later is a counted loss."""
        batch, self._batch = self._batch, None
        self.ended = True
        if batch is not None:
            batch.shutdown()

    def queue(self) -> Any:  # noqa: ANN401 - the two SDK classes share no base
        """Give the open batch with a place taken in it for one item, or None."""
        if self._batch is None:
            if self.ended and self.enabled_by_settings:
                self.gate.lost(self.gate.signal, "shutdown", 1)
            return None
        return self._batch if self.gate.admit() else None


class SpanPipeline(_Pipeline, SpanProcessor):
    """The span processor of a provider; other observers (tests') may stand beside the exporter."""

    def __init__(self, settings: TelemetrySettings, lost: Lost) -> None:
        super().__init__("traces", settings, lost)
        self.observers: list[SpanProcessor] = []

    def _make_batch(self, options: dict[str, Any]) -> BatchSpanProcessor:
        return BatchSpanProcessor(_GatedSpanExporter(OTLPSpanExporter(**options), self.gate), **BATCHING)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a sampled span that has ended."""
        for observer in self.observers:
            observer.on_end(span)
        if span.context.trace_flags.sampled and (batch := self.queue()) is not None:
            batch.on_end(span)


class LogPipeline(_Pipeline):
    """Where log records go."""

    def __init__(self, settings: TelemetrySettings, lost: Lost) -> None:
        super().__init__("logs", settings, lost)

    def _make_batch(self, options: dict[str, Any]) -> BatchLogRecordProcessor:
        exporter = _GatedLogExporter(OTLPLogExporter(**options), self.gate)
        return BatchLogRecordProcessor(exporter, **BATCHING)

    def send(self, record: ReadableLogRecord) -> None:
        """Queue a log record."""
        if (batch := self.queue()) is not None:
            batch.on_emit(record)
