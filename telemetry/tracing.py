"""Spans: the provider, whom the server spans come from, and what the rest of the house needs of them."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import propagate, trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import SpanLimits, TracerProvider, sampling
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from telemetry import names
from telemetry.exceptions import MAX_TEXT_CHARS, exception_attributes
from telemetry.resource import resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fastapi import FastAPI
    from opentelemetry.sdk.trace import SpanProcessor
    from starlette.types import ASGIApp, Scope

    from telemetry.request import RemoteTrace
    from telemetry.settings import TelemetrySettings

_SCOPE = "clearstory"


class SpanIds(NamedTuple):
    """Ids of a span, 32 and 16 lower-case hex digits, and whether it is recorded."""

    trace_id: str
    span_id: str
    sampled: bool


def _sampler(settings: TelemetrySettings) -> sampling.Sampler:
    ratio = sampling.TraceIdRatioBased(settings.sampler_ratio)
    samplers: dict[str, Callable[[], sampling.Sampler]] = {
        "always_on": lambda: sampling.ALWAYS_ON,
        "always_off": lambda: sampling.ALWAYS_OFF,
        "traceidratio": lambda: ratio,
        "parentbased_always_on": lambda: sampling.ParentBased(sampling.ALWAYS_ON),
        "parentbased_always_off": lambda: sampling.ParentBased(sampling.ALWAYS_OFF),
        "parentbased_traceidratio": lambda: sampling.ParentBased(ratio),
    }
    return samplers[settings.sampler]()


class _CleanContext:
    """An empty OpenTelemetry context for the length of a `with`."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token = attach(Context())

    def __exit__(self, *_: object) -> None:
        detach(self._token)


class Tracing:
    """The tracer provider of one application and the seam to where its server spans come from.

    Args:
        settings: resource and sampler.
        processor: takes the ended spans.
    """

    def __init__(self, settings: TelemetrySettings, processor: SpanProcessor) -> None:
        self.provider = TracerProvider(
            sampler=_sampler(settings),
            resource=resource(settings),
            shutdown_on_exit=False,  # the lifespan flushes, within a deadline; atexit has none
            span_limits=SpanLimits(max_span_attribute_length=MAX_TEXT_CHARS),
            meter_provider=NoOpMeterProvider(),
        )
        self.provider.add_span_processor(processor)
        self._tracer = self.provider.get_tracer(_SCOPE)
        self.clean_context = _CleanContext

    def make_global(self) -> None:
        """Serve `opentelemetry.trace.get_tracer`, unless another provider does; propagate trace context only."""
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            trace.set_tracer_provider(self.provider)
        propagate.set_global_textmap(TraceContextTextMapPropagator())

    def instrument_server(self, app: FastAPI) -> None:
        """Give each request of the application a server span.

        Another source of server spans takes its place here; what the house asks of it is a current span for
        the time of the request.

        Args:
            app: the application, before its middleware stack is built.
        """
        stable_semantic_conventions()
        FastAPIInstrumentor.instrument_app(
            app,
            tracer_provider=self.provider,
            meter_provider=NoOpMeterProvider(),
            # The probes are led past the span by path (`Edge`); what contrib matches is a URL with the
            # client's own Host in it, and the environment would have a say.
            excluded_urls="",
            exclude_spans=["send", "receive"],
        )

    @staticmethod
    def name_server_spans(stack: ASGIApp, describe: Callable[[Scope], tuple[str, dict[str, str]]]) -> ASGIApp:
        """Let server spans take their name and route from us.

        contrib would match every route a second time, at a third of its whole cost (measured).

        Args:
            stack: the middleware stack that contrib built.
            describe: gives a request's span name and first attributes.

        Returns:
            What stands behind the server span.
        """
        layer: Any = stack
        while layer is not None and not isinstance(layer, OpenTelemetryMiddleware):
            layer = getattr(layer, "app", None)
        if layer is None:
            return stack
        layer.default_span_details = describe
        inner: ASGIApp = layer.app
        return inner

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Any]) -> Iterator[Span]:
        """Open a child of the current span for the length of a `with`."""
        with self._tracer.start_as_current_span(name, attributes=dict(attributes)) as span:
            yield span

    def add_past_span(self, name: str, started_ns: int, ended_ns: int, attributes: Mapping[str, Any]) -> None:
        """Add a child of the current span for what has already happened.

        Args:
            name: the span's name.
            started_ns: nanoseconds since the epoch.
            ended_ns: nanoseconds since the epoch.
            attributes: the span's attributes.
        """
        span = self._tracer.start_span(name, kind=SpanKind.INTERNAL, attributes=dict(attributes), start_time=started_ns)
        span.end(ended_ns)


def stable_semantic_conventions() -> None:
    """Choose the stable attribute names, before any instrumentor reads this variable (its only switch)."""
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http,database"


def current_ids() -> SpanIds | None:
    """Give the ids of the current span, or None outside of any."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return SpanIds(f"{context.trace_id:032x}", f"{context.span_id:016x}", context.trace_flags.sampled)


def describe_request(request_id: str, remote: RemoteTrace | None) -> None:
    """Put the request's id on the current span, and link the trace of a caller that is not believed."""
    span = trace.get_current_span()
    if not span.is_recording():
        return
    span.set_attribute(names.ATTR_REQUEST_ID, request_id)
    if remote is not None and (context := _remote_context(remote)) is not None:
        span.add_link(context)


def record_failure(exception: BaseException) -> None:
    """Record an unhandled exception on the current span.

    Args:
        exception: also one whose text cannot be had: the SDK's own `record_exception` raises with it.
    """
    span = trace.get_current_span()
    if span.is_recording():
        span.add_event("exception", dict(exception_attributes(exception)))
        mark_failed(exception)


def mark_failed(exception: BaseException) -> None:
    """Set the current span's status and `error.type` to an exception's class; its text stays in the event.

    contrib sets both to the status code when a 500 starts, so they are set once more after it.
    """
    span = trace.get_current_span()
    span.set_attribute("error.type", type(exception).__qualname__)
    span.set_status(Status(StatusCode.ERROR, type(exception).__qualname__))


def close_current() -> None:
    """End the current span now, before its owner adds a second copy of the exception."""
    trace.get_current_span().end()


def _remote_context(remote: RemoteTrace) -> SpanContext | None:
    carrier = {"traceparent": remote.traceparent}
    context = trace.get_current_span(TraceContextTextMapPropagator().extract(carrier, Context())).get_span_context()
    return context if context.is_valid else None
