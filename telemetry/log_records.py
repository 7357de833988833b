"""Turns log events into OpenTelemetry log records.

The records are built and handed to the pipeline here: on its way through the SDK's logger each attribute would be
cleaned a second time, at half the price of the record (measured).
"""

from __future__ import annotations

import sys
from functools import cache
from time import time_ns
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from telemetry.exceptions import MAX_TEXT_CHARS, exception_attributes
from telemetry.rendering import as_text, shown
from telemetry.resource import resource

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from telemetry.settings import TelemetrySettings

_SEVERITIES = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
_AS_IT_IS = frozenset({float, bool})
_INT64 = 1 << 63
# Each of these has a place of its own in a record.
_NOT_ATTRIBUTES = frozenset({"timestamp", "level", "event", "logger", "trace_id", "span_id", "exc_info", "exception"})


class LogRecords:
    """Sends events as log records; trace and span id are the current span's.

    Args:
        settings: the resource.
        send: takes the records.
    """

    def __init__(self, settings: TelemetrySettings, send: Callable[[ReadableLogRecord], None]) -> None:
        self._resource = resource(settings)
        self._send = send
        self._scope = cache(InstrumentationScope)

    def emit(self, event: MutableMapping[str, Any]) -> None:
        """Send one event: its name as body and event name, its fields as attributes, its exception by type.

        Args:
            event: an event of the log chain, before its exception is rendered.
        """
        now = time_ns()
        level = event["level"]
        name = event["event"]
        attributes = {key: _value(value) for key, value in event.items() if key not in _NOT_ATTRIBUTES}
        if "exc_info" in event:
            attributes.update(_exception(event["exc_info"]))
        record = LogRecord(
            timestamp=now,
            observed_timestamp=now,
            severity_number=_SEVERITIES.get(level, SeverityNumber.INFO),
            severity_text=level,
            body=_value(name),
            event_name=_value(name),
            attributes=attributes,
        )
        self._send(ReadableLogRecord(record, self._resource, self._scope(str(event.get("logger", "root")))))


def _value(value: Any) -> Any:  # noqa: ANN401 - any value that was logged
    kind = type(value)
    if kind is str:
        if len(value) > MAX_TEXT_CHARS:
            value = value[:MAX_TEXT_CHARS]
        return value if value.isascii() else as_text(value)
    if kind in _AS_IT_IS or (kind is int and -_INT64 <= value < _INT64):
        return value
    if isinstance(value, str):
        return _value(str(value))
    if kind is dict:
        return {as_text(str(key)): _value(inner) for key, inner in value.items()}
    return None if value is None else shown(value)[:MAX_TEXT_CHARS]


def _exception(exc_info: Any) -> dict[str, str]:  # noqa: ANN401 - what structlog accepts
    exception = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if exception is True:
        exception = sys.exc_info()[1]
    return exception_attributes(exception) if isinstance(exception, BaseException) else {}
