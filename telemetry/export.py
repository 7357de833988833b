"""Exports spans and log records: bounded, off the request's path, every loss counted, every end on time.

The SDK's batch processors drop the oldest item of a full queue without a count, wait 30 s at shutdown and
ignore the deadline of a flush (opentelemetry-python#4568, #4813; posthog#70964). Here a gate before the queue
counts and refuses, and whoever stops a pipeline waits for it as long as it likes.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from telemetry.otlp import OtlpSession
from telemetry.otlp_records import RecordBatch, RecordExporter
from telemetry.otlp_scrubbing import scrub_record, scrub_span
from telemetry.tracing import record_as_told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from telemetry.losses import Lost
    from telemetry.pii import Sink
    from telemetry.settings import TelemetrySettings

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
        self._abandoned = False
        self._lock = threading.Lock()

    def admit(self) -> bool:
        """Say whether one more item may wait; a refusal is counted."""
        with self._lock:
            if self.waiting < QUEUE_CAPACITY:
                self.waiting += 1
                return True
        self.lost(self.signal, "queue_full", 1)
        return False

    def leave(self, items: int, *, sent: bool, rejected: int = 0, cause: str | None = None) -> None:
        """Take a batch off the count; one that was not sent is a loss, and so is what was rejected of it."""
        with self._lock:
            if self._abandoned:
                return
            self.waiting -= items
        if not sent:
            self.lost(self.signal, "export_failed", items, cause)
        elif rejected > 0:
            self.lost(self.signal, "rejected", min(rejected, items))

    def abandon(self, cause: str | None = None) -> int:
        """Count all that still waits as lost, and give its number; what becomes of it later is no news to anybody."""
        with self._lock:
            left, self.waiting, self._abandoned = self.waiting, 0, True
        if left:
            self.lost(self.signal, "shutdown", left, cause)
        return left


class _Gated:
    """An exporter of either signal that tells a gate what became of each batch.

    Args:
        kind: the exporter's class.
        gate: where the batches leave.
        options: of the exporter.
        scrub: gives an item as it may leave, or None.
    """

    def __init__(
        self, kind: Callable[..., Any], gate: Gate, options: Mapping[str, Any], scrub: Callable[[Any], Any]
    ) -> None:
        self._session = OtlpSession(gate.signal)
        self._exporter = kind(session=self._session, meter_provider=NoOpMeterProvider(), **options)
        self._gate = gate
        self._scrub = scrub
        self._ended = False

    def export(self, batch: Sequence[Any]) -> Any:  # noqa: ANN401 - the two signals have a result type each
        sent = False
        scrubbed = list(self._scrubbed(batch))
        # What could not be scrubbed is counted where that was found out.
        self._gate.leave(len(batch) - len(scrubbed), sent=True)
        try:
            result = self._exporter.export(scrubbed)
            sent = result.name == "SUCCESS"
        finally:
            self._gate.leave(len(scrubbed), sent=sent, rejected=self._session.rejected, cause=self.cause)
        return result

    def _scrubbed(self, batch: Sequence[Any]) -> Iterator[Any]:
        for item in batch:
            # The process may end, which no thread survives that is in the rules' native code.
            scrubbed = None if self._ended else self._scrub(item)
            if scrubbed is not None:
                yield scrubbed

    @property
    def cause(self) -> str | None:
        """Why the last attempt failed, None where it did not."""
        return self._session.cause

    def shutdown(self) -> None:
        """End the exporter and its retries; whoever comes second finds it done."""
        if not self._ended:
            self._ended = True
            self._exporter.shutdown()


class _Pipeline:
    """Closed until `start`, and again after `stop`; its thread is made at `start`, after any fork (#3307).

    Args:
        signal: `traces` or `logs`.
        settings: endpoint and headers.
        lost: told of every loss.
        scrub: gives an item as it may leave, or None.
    """

    exporter: Callable[..., Any]
    processor: Callable[..., Any]

    def __init__(self, signal: str, settings: TelemetrySettings, lost: Lost, scrub: Callable[[Any], Any]) -> None:
        self.gate = Gate(signal, lost)
        self._scrub = scrub
        self._exporter: _Gated | None = None
        self._batch: Any = None
        self.ended = False
        self._options: dict[str, Any] | None = None
        if settings.otlp_endpoint is not None:
            endpoint = f"{settings.otlp_endpoint.rstrip('/')}/v1/{signal}"
            self._options = {"endpoint": endpoint, "headers": dict(settings.otlp_headers)}

    def start(self) -> None:
        """Begin to export, where there is an endpoint."""
        self.ended = False
        if self._options is not None:
            # A gate of its own for each start: what an abandoned exporter still holds is not in the new one's count.
            self.gate = Gate(self.gate.signal, self.gate.lost)
            self._exporter = _Gated(self.exporter, self.gate, self._options, self._scrub)
            self._batch = self.processor(self._exporter, **BATCHING)

    def stop(self) -> None:
        """Send what waits and end. Blocks for as long as the endpoint does; what comes later is a counted loss."""
        batch, self._batch = self._batch, None
        self.ended = True
        if batch is not None:
            batch.shutdown()

    def abandon(self) -> int:
        """Let go of a stop that takes too long: ends the retries, counts what was not sent, and gives its number."""
        if self._exporter is None:
            return self.gate.abandon()
        self._exporter.shutdown()
        return self.gate.abandon(self._exporter.cause)

    def queue(self) -> Any:  # noqa: ANN401 - the two SDK classes share no base
        """Give the open batch with a place taken in it for one item, or None."""
        if self._batch is None:
            if self.ended and self._options is not None:
                self.gate.lost(self.gate.signal, "shutdown", 1)
            return None
        return self._batch if self.gate.admit() else None


class SpanPipeline(_Pipeline, SpanProcessor):
    """The span processor of a provider; other observers (tests') may stand beside the exporter."""

    exporter = OTLPSpanExporter
    processor = BatchSpanProcessor

    def __init__(self, settings: TelemetrySettings, lost: Lost, sink: Sink) -> None:
        super().__init__("traces", settings, lost, partial(sink.scrub, scrub_span))
        self.observers: list[SpanProcessor] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the SDK's signature
        """Let a span record exceptions as everything else tells them: without what their texts quote."""
        record_as_told(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a sampled span that has ended."""
        for observer in self.observers:
            observer.on_end(span)
        if span.context.trace_flags.sampled and (batch := self.queue()) is not None:
            batch.on_end(span)


class LogPipeline(_Pipeline):
    """Where log records go."""

    exporter = RecordExporter
    processor = RecordBatch

    def __init__(self, settings: TelemetrySettings, lost: Lost, sink: Sink) -> None:
        super().__init__("logs", settings, lost, partial(sink.scrub, scrub_record))

    def send(self, record: ReadableLogRecord) -> None:
        """Queue a log record."""
        if (batch := self.queue()) is not None:
            batch.on_emit(record)
