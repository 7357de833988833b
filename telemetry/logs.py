"""The structlog chain: our own events and foreign records (uvicorn, sqlalchemy, warnings) alike.

Own events reach the chain directly, foreign ones through one handler at the root of `logging`. The access event
may take a shorter way to the same bytes.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from time import time_ns
from typing import TYPE_CHECKING, Any

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars, merge_contextvars

from telemetry import names
from telemetry.rendering import dumps

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from contextvars import Token

    from structlog.typing import FilteringBoundLogger, Processor

    from telemetry.settings import TelemetrySettings
    from telemetry.tracing import SpanIds

    EventDict = MutableMapping[str, Any]
    Bound = tuple[Token[Any], ...]

ACCESS_LOGGER = "telemetry.access"
_REPORTED: ContextVar[BaseException | None] = ContextVar("telemetry_reported", default=None)
# A plain string: what is rendered or sent with each request need not know more than its name.
_COMPLETED = str(names.HTTP_REQUEST_COMPLETED)
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_FIRST = ("timestamp", "level", "event", "logger", "request_id", "trace_id", "span_id")


def get_logger(name: str) -> FilteringBoundLogger:
    """Give a structured logger.

    Args:
        name: dotted name of the module that logs, shown as `logger`.
    """
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


class _Bound:
    """structlog's context variable of one key: taken once, since its own look-ups cost more than a log line."""

    def __init__(self, key: str) -> None:
        token = bind_contextvars(**{key: None})[key]
        self.variable: ContextVar[Any] = token.var
        self.variable.reset(token)


_REQUEST_ID, _TRACE_ID, _SPAN_ID = (_Bound(key).variable for key in ("request_id", "trace_id", "span_id"))


def bind_request(request_id: str, trace_id: str | None, span_id: str | None) -> Bound:
    """Bind a request's ids for every line below, and nothing of an earlier request.

    Returns:
        What `unbind_request` takes.
    """
    clear_contextvars()
    bound = _REQUEST_ID.set(request_id)
    if trace_id is None:
        return (bound,)
    return bound, _TRACE_ID.set(trace_id), _SPAN_ID.set(span_id)


def unbind_request(bound: Bound) -> None:
    """Take a request's ids off again: what is logged after it is not its."""
    for token in bound:
        token.var.reset(token)


def mark_reported(exception: BaseException) -> None:
    """Say that an exception was logged with its trace, so that the server's second record of it is dropped.

    Kept in the context that the server logs from, since some exceptions refuse attributes.
    """
    _REPORTED.set(exception)


def timestamp() -> str:
    """Give the current time, RFC 3339 in UTC with microseconds."""
    seconds, microseconds = divmod(time_ns() // 1000, 1_000_000)
    return f"{_second(seconds)}.{microseconds:06d}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class _Lines:
    """The innermost logger of a name: takes rendered lines of every level."""

    def __init__(self, name: str, write: Callable[[bytes], None]) -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = self.critical = self.msg = write


class _ForeignRecords(logging.Handler):
    """Takes every record of `logging` through the chain."""

    def __init__(self, process: Callable[[EventDict], bytes], write: Callable[[bytes], None]) -> None:
        super().__init__()
        self._process = process
        self.write = write

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop what would be said twice, or would feed on itself.

        The exporters' own complaints would go out through the exporters; the loss is counted and said once a
        minute (`telemetry.export.failed`).
        """
        if record.name.startswith("opentelemetry."):
            return False
        exception = record.exc_info[1] if record.exc_info else None
        return exception is None or record.name != "uvicorn.error" or _REPORTED.get() is not exception

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event: EventDict = {
                "event": record.getMessage(),
                "level": record.levelname.lower(),
                "logger": record.name,
            }
            if record.exc_info:
                event["exc_info"] = record.exc_info
            self.write(self._process(event))
        except Exception:  # noqa: BLE001 - a record that cannot be shown must not fail its caller
            self.handleError(record)


class Logs:
    """The logging of one process: started once, stopped in reverse.

    Args:
        settings: format and level.
        write: takes one rendered line with its newline.
        current_ids: gives the ids of the current span, or None.
        forward: told of each event before it is rendered; sends it over OTLP.
    """

    def __init__(
        self,
        settings: TelemetrySettings,
        *,
        write: Callable[[bytes], None],
        current_ids: Callable[[], SpanIds | None],
        forward: Callable[[EventDict], None] | None,
    ) -> None:
        self._level = _LEVELS[settings.log_level]
        self._json = settings.log_format == "json"
        self.write = write
        self._current_ids = current_ids
        self._forward = forward
        self._processors = self._chain()
        self._access_logger = get_logger(ACCESS_LOGGER)
        self._root_before: tuple[list[logging.Handler], int] = ([], logging.WARNING)

    def _chain(self) -> list[Processor]:
        chain: list[Processor] = [
            merge_contextvars,
            self._complete,
            structlog.processors.add_log_level,
        ]
        if self._forward is not None:
            chain.append(self._pass_on)
        if self._json:
            no_locals = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            return [*chain, structlog.processors.ExceptionRenderer(no_locals), self._render]
        console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)

        def render(logger: Any, method: str, event: EventDict) -> bytes:  # noqa: ANN401
            plain = dict(event)
            try:
                return f"{console(logger, method, event)}\n".encode("utf-8", "backslashreplace")
            except Exception:  # noqa: BLE001 - a foreign __repr__ or __str__ may raise anything
                return dumps(plain)

        return [*chain, render]

    def _complete(self, logger: _Lines | None, _method: str, event: EventDict) -> EventDict:
        if logger is not None:
            event["logger"] = logger.name
        event["timestamp"] = timestamp()
        if (ids := self._current_ids()) is not None:
            event["trace_id"], event["span_id"] = ids.trace_id, ids.span_id
        return event

    def _pass_on(self, _logger: Any, _method: str, event: EventDict) -> EventDict:  # noqa: ANN401
        if self._forward is not None:
            self._forward(event)
        return event

    @staticmethod
    def _render(_logger: Any, _method: str, event: EventDict) -> bytes:  # noqa: ANN401
        ordered = {key: event.pop(key) for key in _FIRST if key in event}
        ordered.update(event)
        return dumps(ordered)

    def start(self) -> None:
        """Take over structlog's configuration and the root of `logging`."""
        structlog.configure(
            processors=self._processors,
            wrapper_class=structlog.make_filtering_bound_logger(self._level),
            logger_factory=lambda name="root": _Lines(name, self.write),
            cache_logger_on_first_use=False,
        )
        root = logging.getLogger()
        self._root_before = (root.handlers[:], root.level)
        root.handlers = [_ForeignRecords(self._process_foreign, self.write)]
        # Below info, libraries show what they handle: aiosqlite its statements with their values.
        root.setLevel(max(self._level, logging.INFO))
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
            logger = logging.getLogger(name)
            logger.handlers.clear()
            logger.propagate = True
        logging.captureWarnings(capture=True)

    def stop(self) -> None:
        """Give `logging` and structlog back as they were."""
        logging.captureWarnings(capture=False)
        root = logging.getLogger()
        root.handlers, level = self._root_before
        root.setLevel(level)
        structlog.reset_defaults()

    def _process_foreign(self, event: EventDict) -> bytes:
        line: Any = event
        for processor in self._processors:
            line = processor(None, event["level"], line)
        rendered: bytes = line
        return rendered

    def access(self, request_id: str, trace_id: str | None, span_id: str | None, fields: dict[str, Any]) -> None:
        """Write the access event, in JSON straight to its bytes.

        Args:
            request_id: the request's id.
            trace_id: of the request's span, None where there is none.
            span_id: as `trace_id`.
            fields: the event's own fields.
        """
        if not self._json:
            self._access_logger.info(names.HTTP_REQUEST_COMPLETED, **fields)
            return
        if self._level > _LEVELS["info"]:
            return
        event: dict[str, Any] = {
            "timestamp": timestamp(),
            "level": "info",
            "event": _COMPLETED,
            "logger": ACCESS_LOGGER,
            "request_id": request_id,
        }
        if trace_id is not None:
            event["trace_id"] = trace_id
            event["span_id"] = span_id
        event.update(get_contextvars())  # the ids again, and what the application bound
        event.update(fields)
        if self._forward is not None:
            self._forward(event)
        self.write(dumps(event))
