"""The structlog chain: our own events and foreign records (uvicorn, sqlalchemy, warnings) alike.

Own events reach the chain directly, foreign ones through one handler at the root of `logging`. The access event
may take a shorter way to the same bytes.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from time import time_ns
from typing import TYPE_CHECKING, Any

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars, merge_contextvars

from telemetry import names
from telemetry.exceptions import raised, traceback_data, traceback_text
from telemetry.foreign_records import ForeignRecords
from telemetry.quotations import codes_behind, without
from telemetry.rendering import dumps
from telemetry.taken_over import take_over
from telemetry.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from contextvars import ContextVar, Token

    from structlog.typing import FilteringBoundLogger, Processor

    from telemetry.pii import Item, Sink
    from telemetry.settings import TelemetrySettings
    from telemetry.tracing import SpanIds

    EventDict = MutableMapping[str, Any]
    Bound = tuple[Token[Any], ...]

ACCESS_LOGGER = "telemetry.access"
_TURNS = Turns()
# A plain string: what is rendered or sent with each request need not know more than its name.
_COMPLETED = str(names.HTTP_REQUEST_COMPLETED)
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
# structlog's processors while nobody has configured it: a logger that is bound then (`get_logger(...).bind(...)` in a
# module) keeps the list for good. The second one is of the time since an application has ended.
_UNCONFIGURED: list[list[Any]] = [structlog.get_config()["processors"]]
_DEFAULT_PROCESSORS = tuple(_UNCONFIGURED[0])
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


def timestamp() -> str:
    """Give the current time, RFC 3339 in UTC with microseconds."""
    seconds, microseconds = divmod(time_ns() // 1000, 1_000_000)
    return f"{_second(seconds)}.{microseconds:06d}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _exception_as(render: Callable[[BaseException], Any]) -> Processor:
    """Give a processor that puts `exception`, rendered, in the place of `exc_info`."""

    def processor(_logger: Any, _method: str, event: EventDict) -> EventDict:  # noqa: ANN401
        exception = raised(event.pop("exc_info", None))
        if exception is not None:
            event["exception"] = render(exception)
            if isinstance(event["event"], str):
                event["event"] = without(event["event"], codes_behind(exception))
        return event

    return processor


def _scrub_event(item: Item, event: Any) -> Any:  # noqa: ANN401 - an event of the chain, or the access event
    return item.mapping(event, "log")


class _Lines:
    """The innermost logger of a name: takes rendered lines of every level."""

    def __init__(self, name: str, write: Callable[[bytes], None]) -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = self.critical = self.msg = write


class Logs:
    """The logging of one process: started once, stopped in reverse.

    Args:
        settings: format and level.
        write: takes one rendered line with its newline.
        current_ids: gives the ids of the current span, or None.
        forward: told of each event before it is rendered; sends it over OTLP.
        sink: scrubs what is written.
    """

    def __init__(
        self,
        settings: TelemetrySettings,
        *,
        write: Callable[[bytes], None],
        current_ids: Callable[[], SpanIds | None],
        forward: Callable[[EventDict], None] | None,
        sink: Sink,
    ) -> None:
        self._level = _LEVELS[settings.log_level]
        self._json = settings.log_format == "json"
        self.write = write
        self._current_ids = current_ids
        self._forward = forward
        self._sink = sink
        self._processors = self._chain()
        self._access_logger = get_logger(ACCESS_LOGGER)

    def _chain(self) -> list[Processor]:
        chain: list[Processor] = [
            merge_contextvars,
            self._complete,
            structlog.processors.add_log_level,
        ]
        if self._forward is not None:
            chain.append(self._pass_on)
        if self._json:
            return [*chain, _exception_as(traceback_data), self._scrub, self._render]
        console = structlog.dev.ConsoleRenderer()

        def render(logger: Any, method: str, event: EventDict) -> bytes:  # noqa: ANN401
            plain = dict(event)
            try:
                return f"{console(logger, method, event)}\n".encode("utf-8", "backslashreplace")
            except Exception:  # noqa: BLE001 - a foreign __repr__ or __str__ may raise anything
                return dumps(plain)

        return [*chain, _exception_as(traceback_text), self._scrub, render]

    def _complete(self, logger: _Lines | None, _method: str, event: EventDict) -> EventDict:
        if logger is not None:
            event["logger"] = getattr(logger, "name", "root")
        event["timestamp"] = timestamp()
        if (ids := self._current_ids()) is not None:
            event["trace_id"], event["span_id"] = ids.trace_id, ids.span_id
        return event

    def _pass_on(self, _logger: Any, _method: str, event: EventDict) -> EventDict:  # noqa: ANN401
        if self._forward is not None:
            self._forward(event)
        return event

    def _scrub(self, _logger: Any, _method: str, event: EventDict) -> EventDict:  # noqa: ANN401
        scrubbed = self._sink.scrub(_scrub_event, event)
        if scrubbed is None:
            raise structlog.DropEvent
        return scrubbed

    @staticmethod
    def _render(_logger: Any, _method: str, event: EventDict) -> bytes:  # noqa: ANN401
        ordered = {key: event.pop(key) for key in _FIRST if key in event}
        ordered.update(event)
        return dumps(ordered)

    def start(self) -> None:
        """Take over structlog's configuration and the root of `logging`."""
        _TURNS.begin(self._take)

    def stop(self) -> None:
        """Give `logging` and structlog to the application that still runs, or back as they were."""
        _TURNS.end(self._take)

    def _take(self) -> Callable[[], None]:
        for processors in _UNCONFIGURED:
            processors[:] = [self._at_level, *self._processors, self._write_and_end]
        structlog.configure(
            processors=self._processors,
            wrapper_class=structlog.make_filtering_bound_logger(self._level),
            logger_factory=lambda name="root": _Lines(name, self.write),
            cache_logger_on_first_use=False,
        )
        # Below info, libraries show what they handle: aiosqlite its statements with their values, anthropic's client
        # its requests with the prompt. The second one has a level of its own, set by ANTHROPIC_LOG.
        handler = ForeignRecords(self._write_foreign, self._sink.refuse)
        handler.setLevel(max(self._level, logging.INFO))
        give_back = take_over(handler)

        def put_back() -> None:
            give_back()
            structlog.reset_defaults()
            for processors in _UNCONFIGURED:
                processors[:] = _DEFAULT_PROCESSORS
            _UNCONFIGURED[1:] = [structlog.get_config()["processors"]]

        return put_back

    def _at_level(self, _logger: Any, method: str, event: EventDict) -> EventDict:  # noqa: ANN401
        if _LEVELS.get(method, _LEVELS["critical"]) < self._level:
            raise structlog.DropEvent
        return event

    def _write_and_end(self, _logger: Any, _method: str, line: Any) -> Any:  # noqa: ANN401
        self.write(line)
        raise structlog.DropEvent

    def _write_foreign(self, event: EventDict) -> None:
        line: Any = event
        with suppress(structlog.DropEvent):
            for processor in self._processors:
                line = processor(None, event["level"], line)
            self.write(line)

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
        }
        ids = {"request_id": request_id}
        if trace_id is not None and span_id is not None:
            ids["trace_id"] = trace_id
            ids["span_id"] = span_id
        bound = get_contextvars()  # the ids again, and what the application bound
        event.update(ids)
        event.update(bound)
        event.update(fields)
        if self._forward is not None:
            self._forward(event)
        if bound != ids:
            # Our own fields are ids, numbers, pseudonyms and words of closed sets; the application's may be anything.
            scrubbed = self._sink.scrub(_scrub_event, event)
            if scrubbed is None:
                return
            event = scrubbed
        self.write(dumps(event))
