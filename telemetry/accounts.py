"""What is written down of each request: its metrics, its access event and, when it fails, its error report."""

from __future__ import annotations

from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any

from telemetry import names
from telemetry.foreign_records import mark_reported
from telemetry.logs import get_logger
from telemetry.server_span import describe, describe_failure, record_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from telemetry.logs import Logs
    from telemetry.metrics import Metrics
    from telemetry.middleware import Clock
    from telemetry.request import RequestRecord
    from telemetry.sentry import Sentry
    from telemetry.tracing import Tracing

    HidePrincipal = Callable[[str], str]

_log = get_logger(__name__)
_SERVER_ERROR = 500
CLIENT_DISCONNECTED = "client_disconnected"
"""The `error_type` of a request whose client left before its answer had ended."""
# A layer's own work is worth a span of its own from here on, in seconds.
SLOW_LAYER_SECONDS = 0.005


class Accounts:
    """Keeps the books of one application's requests.

    Args:
        metrics: the registry.
        logs: writes the access event.
        tracing: opens spans of what a layer did.
        sentry: takes unhandled exceptions.
        hide_principal: gives what stands for a principal.
    """

    def __init__(
        self, metrics: Metrics, logs: Logs, tracing: Tracing, sentry: Sentry, hide_principal: HidePrincipal
    ) -> None:
        self._metrics = metrics
        self._logs = logs
        self._tracing = tracing
        self._sentry = sentry
        self._hide_principal = hide_principal
        self._durations: dict[tuple[str, str, int], Any] = {}
        self._first_bytes: dict[tuple[str, str], Any] = {}
        self._active = {
            method: metrics.gauge(names.ACTIVE_REQUESTS, method) for method in (*names.METHODS, names.OTHER_METHOD)
        }
        self._layers: tuple[str, ...] = ()
        self._observe_layer: list[Callable[[float], None]] = []

    def isolated(self) -> AbstractContextManager[None]:
        """Keep what the application tells the error tracker during a `with` from other requests' reports."""
        return self._sentry.isolated()

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
        record.error_type = type(exception).__qualname__
        record_failure(exception)
        _log.error(names.HTTP_REQUEST_FAILED, method=record.method, route=record.route, exc_info=exception)
        mark_reported(exception)
        self._sentry.capture_request(exception, record)

    def closed(self, record: RequestRecord, bytes_sent: int) -> None:
        """Note that a response is complete, or that its client has left.

        Args:
            record: the request.
            bytes_sent: bytes of the response's body.
        """
        duration = perf_counter() - record.started
        self._active[record.method].dec()
        if record.refused_by is not None:
            describe(_refusal(record))
        if record.error_type is not None:
            describe_failure(record.error_type, ours=record.error_type != CLIENT_DISCONNECTED)
        if record.probe:
            if record.status >= _SERVER_ERROR:
                self._access(record, duration, bytes_sent)
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
        self._access(record, duration, bytes_sent)
        self._sentry.transaction(record, duration)

    def _access(self, record: RequestRecord, duration: float, bytes_sent: int) -> None:
        fields: dict[str, Any] = {
            "method": record.method,
            "route": record.route,
            "status": record.status,
            "duration_ms": _milliseconds(duration, 1000),
            "bytes": bytes_sent,
        }
        if record.error_type is not None:
            fields["error_type"] = record.error_type
        if record.principal is not None:
            fields["principal"] = self._hide_principal(record.principal)
        if record.rate_limit is not None:
            fields["rate_limit"] = record.rate_limit if record.refused_by is None else "refused"
        clock = record.clock
        if clock is not None and clock.entered:
            own = clock.own_times(len(self._layers))
            fields["middleware_ms"] = {
                name: _milliseconds(seconds, 10_000) for name, seconds in zip(self._layers, own, strict=False)
            }
        self._logs.access(record.request_id, record.trace_id, record.span_id, fields)

    def watch_layers(self, layers: Iterable[str]) -> None:
        """Name the layers of the chain, outermost first."""
        self._layers = tuple(layers)
        self._metrics.allow("middleware", *self._layers)
        self._observe_layer = [
            self._metrics.histogram(names.MIDDLEWARE_DURATION, name).observe for name in self._layers
        ]

    def chain_left(self, record: RequestRecord) -> None:
        """Note what each layer cost, and what answered in the handler's place."""
        clock = record.clock
        if clock is None:
            return
        own = clock.own_times(len(self._layers))
        for observe, seconds in zip(self._observe_layer, own, strict=False):
            observe(seconds)
        if record.rejection is not None:
            self._metrics.counter(names.MIDDLEWARE_REJECTIONS, *record.rejection).inc()
        if record.trace_id is not None and (record.rejection is not None or max(own) >= SLOW_LAYER_SECONDS):
            self._open_spans(record, clock, own)

    def _open_spans(self, record: RequestRecord, clock: Clock, own: list[float]) -> None:
        """Open a span of each layer whose work was worth seeing: a rejection, or something slow."""
        rejected, reason = record.rejection or (None, None)
        to_epoch_ns = time_ns() - int(perf_counter() * 1e9)
        for name, entered, seconds in zip(self._layers, clock.entered, own, strict=False):
            if name == rejected or seconds >= SLOW_LAYER_SECONDS:
                started = to_epoch_ns + int(entered * 1e9)
                attributes = {names.ATTR_REJECTION_REASON: reason, **_refusal(record)} if name == rejected else {}
                ended = started + int(seconds * 1e9)
                self._tracing.add_past_span(names.SPAN_MIDDLEWARE.format(name), started, ended, attributes)


def _refusal(record: RequestRecord) -> dict[str, str]:
    """Give what a span says of the limit that refused."""
    if record.refused_by is None:
        return {}
    return dict(zip((names.ATTR_REJECTION_POLICY, names.ATTR_REJECTION_LIMIT), record.refused_by, strict=True))


def _milliseconds(seconds: float, parts: int) -> float:
    """Give milliseconds in whole parts of one; `round` would write the number out and read it again."""
    return int(seconds * 1000 * parts + 0.5) / parts
