"""What is written on the server span of a request while it is the current one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from telemetry import names
from telemetry.current_span import set_failed
from telemetry.exceptions import exception_attributes
from telemetry.tracing import span_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import SpanContext

    from telemetry.request import RemoteTrace
    from telemetry.tracing import SpanIds


def describe_request(request_id: str, remote: RemoteTrace | None) -> SpanIds | None:
    """Put the request's id on the current span, link the trace of a caller that is not believed, and give its ids."""
    span = trace.get_current_span()
    if span.is_recording():
        span.set_attribute(names.ATTR_REQUEST_ID, request_id)
        if remote is not None and (context := _remote_context(remote)) is not None:
            span.add_link(context)
    return span_ids(span)


def describe(attributes: Mapping[str, str]) -> None:
    """Put onto the current span what was decided about the request.

    Args:
        attributes: under names of `telemetry.names`.
    """
    trace.get_current_span().set_attributes(attributes)


def describe_failure(error_type: str, *, ours: bool) -> None:
    """Put onto the current span how the request failed, when its response is complete.

    contrib sets status and `error.type` of a 500 to the status code when that starts: what is said later stays.

    Args:
        error_type: a class's name or a slug.
        ours: the service is to blame, so that the span is one of an error (HTTP semantic conventions, span status).
    """
    span = trace.get_current_span()
    if ours:
        set_failed(span, error_type)
    else:
        span.set_attribute("error.type", error_type)


def record_failure(exception: BaseException) -> None:
    """Record an unhandled exception on the current span; `describe_failure` says that it failed, once it is answered.

    Args:
        exception: also one whose text cannot be had: the SDK's own `record_exception` raises with it.
    """
    span = trace.get_current_span()
    if span.is_recording():
        span.add_event("exception", dict(exception_attributes(exception)))


def close_current() -> None:
    """End the current span now, before its owner adds a second copy of the exception."""
    trace.get_current_span().end()


def _remote_context(remote: RemoteTrace) -> SpanContext | None:
    carrier = {"traceparent": remote.traceparent}
    context = trace.get_current_span(TraceContextTextMapPropagator().extract(carrier, Context())).get_span_context()
    return context if context.is_valid else None
