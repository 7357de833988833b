"""A span as the current one for the length of a `with`, in whatever context that `with` is left.

OpenTelemetry's own way keeps a token that only the context that made it can take back. A generator that is closed
elsewhere than it began (by the garbage collector, by a server that cancels) has another one, and what comes of it is
"Failed to detach context" with a traceback (openlit#1369, phoenix#11362).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.context import attach, get_current
from opentelemetry.trace import INVALID_SPAN_ID, INVALID_TRACE_ID, Link, SpanContext, Status, StatusCode, TraceFlags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from telemetry.tracing import SpanIds

_TRACE_ID, _SPAN_ID = re.compile("[0-9a-f]{32}"), re.compile("[0-9a-f]{16}")


class CurrentSpan:
    """Begins a span, makes it the current one, and ends it.

    An exception that leaves the `with` is the span's failure. A cancellation is not.

    Args:
        begin: begins the span in a context.
        base: the context that it begins in; None: the current one.
    """

    __slots__ = ("_base", "_before", "_begin", "_context", "_span")

    def __init__(self, begin: Callable[[Context], Span], base: Context | None = None) -> None:
        self._begin = begin
        self._base = base

    def __enter__(self) -> Span:
        self._before = get_current()
        base = self._before if self._base is None else self._base
        self._span = self._begin(base)
        self._context = trace.set_span_in_context(self._span, base)
        attach(self._context)
        return self._span

    def __exit__(self, _kind: object, exception: BaseException | None, _traceback: object) -> None:
        # Elsewhere another span is the current one, and stays it.
        if get_current() is self._context:
            attach(self._before)
        if isinstance(exception, Exception) and self._span.is_recording():
            self._span.record_exception(exception)
            set_failed(self._span, type(exception).__qualname__)
        self._span.end()


def set_failed(span: Span, error_type: str) -> None:
    """Give a span the status of a failure, and its kind.

    Args:
        span: is open.
        error_type: a class's name or a slug, never a text.
    """
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR, error_type))


def links_to(spans: Iterable[SpanIds]) -> Iterator[Link]:
    """Give links to spans of this process or another, without those whose ids have not the form of ids.

    Args:
        spans: may come from a database.
    """
    for ids in spans:
        if not (_TRACE_ID.fullmatch(ids.trace_id) and _SPAN_ID.fullmatch(ids.span_id)):
            continue
        trace_id, span_id = int(ids.trace_id, 16), int(ids.span_id, 16)
        if trace_id != INVALID_TRACE_ID and span_id != INVALID_SPAN_ID:
            yield Link(SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(int(ids.sampled))))
