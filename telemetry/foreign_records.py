"""Records of `logging` (uvicorn, sqlalchemy, warnings, the application's libraries) on their way into the chain."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from copy import copy
from typing import TYPE_CHECKING, Any

from telemetry.quotations import message_of
from telemetry.rendering import shown

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    EventDict = MutableMapping[str, Any]

_REPORTED: ContextVar[BaseException | None] = ContextVar("telemetry_reported", default=None)
# Those of the exporters, in which urllib3 tells each retry: the loss is counted, and said once a minute.
_EXPORTING = ("sentry-sdk.", "OtelBatch")
_TELL_REQUESTS = frozenset({"uvicorn.access", "gunicorn.access", "hypercorn.access", "httpx", "httpx2"})


def mark_reported(exception: BaseException) -> None:
    """Say that an exception was logged with its trace, so that the server's second record of it is dropped.

    Kept in the context that the server logs from, since some exceptions refuse attributes.
    """
    _REPORTED.set(exception)


class ForeignRecords(logging.Handler):
    """Takes every record of `logging` through the chain.

    Args:
        process: writes an event.
        refuse: told of a record that no event could be made of.
    """

    def __init__(self, process: Callable[[EventDict], None], refuse: Callable[[], None]) -> None:
        super().__init__()
        self._process = process
        self._refuse = refuse

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop what would be said twice, or would feed on itself.

        The exporters' own complaints would go out through the exporters; the loss is counted and said once a
        minute (`telemetry.export.failed`). A server's access line says what the access event says, and a client's
        says whom it asked for what: both with the whole query.
        """
        if record.name.startswith("opentelemetry.") or (record.threadName or "").startswith(_EXPORTING):
            return False
        if record.name in _TELL_REQUESTS and record.levelno < logging.WARNING:
            return False
        exception = record.exc_info[1] if record.exc_info else None
        return exception is None or record.name != "uvicorn.error" or _REPORTED.get() is not exception

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; nothing that it holds may fail whoever logs it, or be shown raw."""
        try:
            event: EventDict = {
                "event": _message(record),
                "level": record.levelname.lower(),
                "logger": record.name,
            }
            if record.exc_info:
                event["exc_info"] = record.exc_info
            self._process(event)
        except Exception:  # noqa: BLE001 - foreign values may raise anything
            self._refuse()


def _message(record: logging.LogRecord) -> str:
    """Give a record's message; of exceptions in it what may be told of them, and without arguments that do not fit."""
    told = copy(record)
    told.msg = _told(record.msg)
    if isinstance(record.args, tuple):
        told.args = tuple(map(_told, record.args))
    elif record.args:
        told.args = {name: _told(value) for name, value in record.args.items()}
    try:
        return told.getMessage()
    except Exception:  # noqa: BLE001 - foreign values may raise anything; the line is worth more than they
        return told.msg if isinstance(told.msg, str) else shown(told.msg)


def _told(value: Any) -> Any:  # noqa: ANN401 - any value
    return message_of(value) if isinstance(value, BaseException) else value
