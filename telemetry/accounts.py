"""What is written down of each request: its metrics, its access event and, when it fails, its error report."""

from __future__ import annotations

from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any

from telemetry import names
from telemetry.logs import get_logger, mark_reported
from telemetry.request import current_request
from telemetry.tracing import end_failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope

    from telemetry.logs import Logs
    from telemetry.metrics import Metrics
    from telemetry.middleware import Frame
    from telemetry.pii import Pseudonyms
    from telemetry.request import RequestRecord
    from telemetry.sentry import Sentry
    from telemetry.tracing import Tracing

_log = get_logger(__name__)
_SERVER_ERROR = 500
# A layer's own work is worth a span of its own from here on, in seconds.
SLOW_LAYER_SECONDS = 0.005
_CORRELATION = "correlation"


class Accounts:
    """Keeps the books of one application's requests.

    Args:
        metrics: the registry.
        logs: writes the access event.
        tracing: opens spans of what a layer did.
        sentry: takes unhandled exceptions.
        pseudonyms: what stands for a principal.
    """

    def __init__(self, metrics: Metrics, logs: Logs, tracing: Tracing, sentry: Sentry, pseudonyms: Pseudonyms) -> None:
        self._metrics = metrics
        self._logs = logs
        self._tracing = tracing
        self._sentry = sentry
        self._pseudonym = pseudonyms.of
        self._durations: dict[tuple[str, str, int], Any] = {}
        self._first_bytes: dict[tuple[str, str], Any] = {}
        self._active = {
            method: metrics.gauge(names.ACTIVE_REQUESTS, method) for method in (*names.METHODS, names.OTHER_METHOD)
        }
        self._own = metrics.histogram(names.MIDDLEWARE_DURATION, _CORRELATION)

    def opened(self, record: RequestRecord) -> None:
        """Note that a request has begun."""
        self._active[record.method].inc()

    def first_byte(self, record: RequestRecord) -> None:
        """Note that a response has begun."""
        if record.probe:
            return
        key = (record.method, record.route)
        histogram = self._first_bytes.get(key)
        if histogram is None:
            histogram = self._first_bytes[key] = self._metrics.histogram(names.TIME_TO_FIRST_BYTE, *key)
        histogram.observe(perf_counter() - record.started)

    def failed(self, record: RequestRecord, exception: Exception) -> None:
        """Report an unhandled exception once: on the span, in the log and to Sentry."""
        end_failed(exception)
        _log.error(names.HTTP_REQUEST_FAILED, method=record.method, route=record.route, exc_info=exception)
        mark_reported(exception)
        self._sentry.capture_request(exception, record)

    def closed(self, record: RequestRecord, bytes_sent: int) -> None:
        """Note that a response is complete, or that its client has left.

        Args:
            record: the request.
            bytes_sent: bytes of the response's body.
        """
        begun = perf_counter()
        duration = begun - record.started
        self._active[record.method].dec()
        if record.probe:
            if record.status >= _SERVER_ERROR:
                self._access(record, duration, bytes_sent, begun)
            return
        key = (record.method, record.route, record.status)
        histogram = self._durations.get(key)
        if histogram is None:
            labels = (record.method, record.route, str(record.status))
            histogram = self._durations[key] = self._metrics.histogram(names.REQUEST_DURATION, *labels)
        exemplar = None
        if record.sampled and record.trace_id is not None and record.span_id is not None:
            exemplar = {"trace_id": record.trace_id, "span_id": record.span_id}
        histogram.observe(duration, exemplar)
        self._access(record, duration, bytes_sent, begun)
        self._sentry.transaction(record, duration)
        self._own.observe(perf_counter() - begun)

    def _access(self, record: RequestRecord, duration: float, bytes_sent: int, now: float) -> None:
        ids = {"request_id": record.request_id}
        if record.trace_id is not None and record.span_id is not None:
            ids["trace_id"], ids["span_id"] = record.trace_id, record.span_id
        fields: dict[str, Any] = {
            "method": record.method,
            "route": record.route,
            "status": record.status,
            "duration_ms": round(duration * 1000, 3),
            "bytes": bytes_sent,
        }
        if record.principal is not None:
            fields["principal"] = self._pseudonym("principal", record.principal)
        if record.rate_limit is not None:
            fields["rate_limit"] = record.rate_limit
        fields["middleware_ms"] = {frame.name: round(frame.own_so_far(now) * 1000, 4) for frame in record.frames}
        self._logs.access(ids, fields)

    def layer_observer(self, name: str) -> Callable[[float], None]:
        """Give what takes a layer's own time in seconds."""
        return self._metrics.histogram(names.MIDDLEWARE_DURATION, name).observe

    def layer_left(self, scope: Scope, frame: Frame, own: float) -> None:
        """Count a rejection; open a span of what a layer did where it was worth seeing.

        Args:
            scope: the request's scope.
            frame: the layer's clock.
            own: the layer's own time, seconds.
        """
        record = current_request(scope)
        reason = None
        if record.rejection is not None and record.rejection[0] == frame.name:
            reason = record.rejection[1]
            self._metrics.counter(names.MIDDLEWARE_REJECTIONS, frame.name, reason).inc()
        elif own < SLOW_LAYER_SECONDS:
            return
        if record.trace_id is not None:
            self._tracing.add_past_span(
                names.SPAN_MIDDLEWARE.format(frame.name),
                frame.started_ns,
                min(frame.started_ns + int(own * 1e9), time_ns()),
                {} if reason is None else {names.ATTR_REJECTION_REASON: reason},
            )
