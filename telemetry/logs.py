"""The structlog chain: our own events and foreign records (uvicorn, sqlalchemy, warnings) alike.

Own events reach the chain directly, foreign ones through one handler at the root of `logging`. The access event
may take a shorter way to the same bytes.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars, merge_contextvars, reset_contextvars

from telemetry import names
from telemetry.rendering import dumps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping
    from contextvars import Token

    from structlog.typing import FilteringBoundLogger, Processor

    from telemetry.settings import TelemetrySettings
    from telemetry.tracing import SpanIds

    EventDict = MutableMapping[str, Any]

ACCESS_LOGGER = "telemetry.access"
_REPORTED = "__telemetry_reported__"
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_FIRST = ("timestamp", "level", "event", "logger", "request_id", "trace_id", "span_id")


def get_logger(name: str) -> FilteringBoundLogger:
    """Give a structured logger.

    Args:
        name: dotted name of the module that logs, shown as `logger`.
    """
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


def bind_request(**ids: str) -> Mapping[str, Token[Any]]:
    """Bind a request's ids for every line below, and nothing of an earlier request.

    Returns:
        What `unbind_request` takes.
    """
    clear_contextvars()
    return bind_contextvars(**ids)


def unbind_request(tokens: Mapping[str, Token[Any]]) -> None:
    """Take a request's ids off again: what is logged after it is not its."""
    reset_contextvars(**tokens)


def mark_reported(exception: BaseException) -> None:
    """Say that an exception was logged with its trace, so that the server's second record of it is dropped."""
    setattr(exception, _REPORTED, True)


def timestamp() -> str:
    """Give the current time, RFC 3339 in UTC with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


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
        return not (record.name == "uvicorn.error" and getattr(exception, _REPORTED, False))

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
        return [*chain, lambda logger, method, event: f"{console(logger, method, event)}\n".encode()]

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
            logger_factory=lambda name="root": _Lines(name, lambda line: self.write(line)),
            cache_logger_on_first_use=False,
        )
        root = logging.getLogger()
        self._root_before = (root.handlers[:], root.level)
        root.handlers = [_ForeignRecords(self._process_foreign, self.write)]
        root.setLevel(self._level)
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

    def access(self, ids: dict[str, str], fields: dict[str, Any]) -> None:
        """Write the access event, in JSON straight to its bytes.

        Args:
            ids: the request's `request_id`, and `trace_id` and `span_id` where there is a span.
            fields: the event's own fields.
        """
        if not self._json:
            self._access_logger.info(names.HTTP_REQUEST_COMPLETED, **fields)
            return
        if self._level > _LEVELS["info"]:
            return
        event = {
            "timestamp": timestamp(),
            "level": "info",
            "event": names.HTTP_REQUEST_COMPLETED,
            "logger": ACCESS_LOGGER,
            **ids,
            **fields,
        }
        if self._forward is not None:
            self._forward(event)
        self.write(dumps(event))
