"""Turns log events into OpenTelemetry log records."""

from __future__ import annotations

import sys
from functools import lru_cache
from time import time_ns
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import SeverityNumber
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource

from telemetry.rendering import as_text, shown
from telemetry.resource import resource_attributes

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from opentelemetry.sdk._logs import LogRecordProcessor

    from telemetry.settings import TelemetrySettings

_SEVERITIES = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
# Each of these has a place of its own in a record.
_NOT_ATTRIBUTES = frozenset({"timestamp", "level", "event", "logger", "trace_id", "span_id", "exc_info", "exception"})


class LogRecords:
    """Sends events as log records; trace and span id are the current span's.

    Args:
        settings: the resource.
        processor: takes the records.
    """

    def __init__(self, settings: TelemetrySettings, processor: LogRecordProcessor) -> None:
        provider = LoggerProvider(
            resource=Resource(resource_attributes(settings)),
            shutdown_on_exit=False,
            meter_provider=NoOpMeterProvider(),
        )
        provider.add_log_record_processor(processor)
        self._logger = lru_cache(maxsize=256)(provider.get_logger)

    def emit(self, event: MutableMapping[str, Any]) -> None:
        """Send one event: its name as body and event name, its fields as attributes, its exception by type."""
        level = event["level"]
        self._logger(str(event.get("logger", "root"))).emit(
            timestamp=time_ns(),
            severity_number=_SEVERITIES.get(level, SeverityNumber.INFO),
            severity_text=level,
            body=event["event"],
            event_name=event["event"],
            attributes={key: _value(value) for key, value in event.items() if key not in _NOT_ATTRIBUTES},
            exception=_exception(event.get("exc_info")),
        )


def _value(value: Any) -> Any:  # noqa: ANN401 - any value that was logged
    if isinstance(value, str):
        return value if value.isascii() else as_text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(key): _value(inner) for key, inner in value.items()}
    return shown(value)


def _exception(exc_info: Any) -> BaseException | None:  # noqa: ANN401 - what structlog accepts
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        found: BaseException | None = exc_info[1]
        return found
    return sys.exc_info()[1] if exc_info else None
