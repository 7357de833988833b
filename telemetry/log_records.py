"""Turns log events into OpenTelemetry log records.

The records are built and handed to the pipeline here: on its way through the SDK's logger each attribute would be
cleaned a second time, at half the price of the record (measured).
"""

from __future__ import annotations

from functools import lru_cache
from time import time_ns
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from telemetry.exceptions import exception_attributes, raised
from telemetry.rendering import shown
from telemetry.values import any_value

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from opentelemetry.sdk.resources import Resource

_SEVERITIES = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
_NO_CONTEXT = Context()
# Each of these has a place of its own in a record.
_NOT_ATTRIBUTES = frozenset({"timestamp", "level", "event", "logger", "trace_id", "span_id", "exc_info", "exception"})


class LogRecords:
    """Sends events as log records; trace and span id are the current span's.

    Args:
        resource: whom the records are of.
        send: takes the records.
        refuse: told of an event that no record could be made of.
    """

    def __init__(
        self, resource: Resource, send: Callable[[ReadableLogRecord], None], refuse: Callable[[], None]
    ) -> None:
        self._resource = resource
        self._send = send
        self._refuse = refuse
        self._scope = lru_cache(maxsize=1024)(InstrumentationScope)

    def emit(self, event: MutableMapping[str, Any]) -> None:
        """Send one event: its name as body and event name, its fields as attributes, its exception by type.

        Args:
            event: an event of the log chain, before its exception is rendered.
        """
        try:
            self._send(self._record(event))
        except Exception:  # noqa: BLE001 - foreign values may raise anything, and their logger's caller has done nothing
            self._refuse()

    def _record(self, event: MutableMapping[str, Any]) -> ReadableLogRecord:
        now = time_ns()
        level = event["level"]
        name = event["event"] if isinstance(event["event"], str) else shown(event["event"])
        attributes = {key: any_value(value) for key, value in event.items() if key not in _NOT_ATTRIBUTES}
        exception = raised(event.get("exc_info"))
        if exception is not None:
            attributes.update(exception_attributes(exception))
        record = LogRecord(
            timestamp=now,
            observed_timestamp=now,
            severity_number=_SEVERITIES.get(level, SeverityNumber.INFO),
            severity_text=level,
            body=any_value(name),
            event_name=any_value(name),
            attributes=attributes,
        )
        # While the record waits it would keep alive whatever the application put there.
        record.context = _NO_CONTEXT
        return ReadableLogRecord(record, self._resource, self._scope(str(event.get("logger", "root"))))
