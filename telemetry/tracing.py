"""Spans: the provider, whom the server spans come from, and what the rest of the house needs of them."""

from __future__ import annotations

import os
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import propagate, trace
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import SpanLimits, TracerProvider, sampling
from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.background import BackgroundTask

from telemetry.current_span import CurrentSpan, links_to
from telemetry.exceptions import MAX_TEXT_CHARS, exception_attributes
from telemetry.values import any_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fastapi import FastAPI
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor
    from starlette.types import ASGIApp, Scope

    from telemetry.settings import TelemetrySettings

_SCOPE = "clearstory"
_TRACER: ContextVar[Tracer | None] = ContextVar("telemetry_tracer", default=None)


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
    """For the length of a `with` an empty OpenTelemetry context, and whose spans are begun in it."""

    __slots__ = ("_owner", "_token", "_tracer")

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def __enter__(self) -> None:
        # Most requests begin in an empty one, and another would cost as much as a layer.
        self._token = attach(Context()) if get_current() else None
        self._owner = _TRACER.set(self._tracer)

    def __exit__(self, *_: object) -> None:
        _TRACER.reset(self._owner)
        if self._token is not None:
            detach(self._token)


async def _background_task(task: BackgroundTask) -> None:
    """Run a task in a span of the application that it belongs to.

    contrib's own wrapper, one for the whole process, gives the spans of every application to the first one.
    """
    tracer = _TRACER.get()
    run = BackgroundTask._otel_original_call  # type: ignore[attr-defined] # noqa: SLF001 - where contrib keeps it
    if tracer is None:
        await run(task)
        return
    with tracer.start_as_current_span(f"BackgroundTask {getattr(task.func, '__name__', type(task.func).__name__)}"):
        await run(task)


class Tracing:
    """The tracer provider of one application and the seam to where its server spans come from.

    Args:
        settings: the sampler.
        resource: whom the spans are of.
        processor: takes the ended spans.
    """

    def __init__(self, settings: TelemetrySettings, resource: Resource, processor: SpanProcessor) -> None:
        self.provider = TracerProvider(
            sampler=_sampler(settings),
            resource=resource,
            shutdown_on_exit=False,  # the lifespan flushes, within a deadline; atexit has none
            span_limits=SpanLimits(max_span_attribute_length=MAX_TEXT_CHARS),
            meter_provider=NoOpMeterProvider(),
        )
        self.provider.add_span_processor(processor)
        self._tracer = self.provider.get_tracer(_SCOPE)
        self.clean_context = partial(_CleanContext, self._tracer)

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
        BackgroundTask.__call__ = _background_task  # type: ignore[assignment, method-assign]

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

    def span(self, name: str, attributes: Mapping[str, Any]) -> CurrentSpan:
        """Open a child of the current span for the length of a `with`."""
        return CurrentSpan(partial(self._tracer.start_span, name, attributes=plain(attributes)))

    def root_span(self, name: str, attributes: Mapping[str, Any], links: Iterable[SpanIds]) -> CurrentSpan:
        """Open a trace of its own for the length of a `with`: work that no request waits for.

        Log lines inside of it have its ids, whatever request it was begun in.

        Args:
            name: the span's name.
            attributes: the span's attributes.
            links: spans of other traces that this one belongs to. What has not the form of ids, which may come from
                a database, is left out.
        """
        begin = partial(self._tracer.start_span, name, attributes=plain(attributes), links=list(links_to(links)))
        return CurrentSpan(begin, Context())

    def client_span(self, name: str, attributes: Mapping[str, Any]) -> Span:
        """Begin a span of a call to another service, a child of the current one, and leave the current one as it is.

        Whoever has it ends it, in whatever task that is: nothing is attached that would have to be detached, which
        a generator cannot do.

        Args:
            name: the span's name.
            attributes: the span's attributes.
        """
        return self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=plain(attributes))

    def background(self, name: str, traceparent: str | None, attributes: Mapping[str, Any]) -> CurrentSpan:
        """Open a span of work that goes on after its request was answered, for the length of a `with`.

        Args:
            name: the span's name.
            traceparent: the request's server span, which another process may have had; None begins a trace.
            attributes: the span's attributes.
        """
        carrier = {} if traceparent is None else {"traceparent": traceparent}
        request = TraceContextTextMapPropagator().extract(carrier, Context())
        return CurrentSpan(partial(self._tracer.start_span, name, attributes=plain(attributes)), request)

    @staticmethod
    def event(name: str, attributes: Mapping[str, Any]) -> None:
        """Add an event to the current span."""
        span = trace.get_current_span()
        if span.is_recording():
            span.add_event(name, {key: any_value(value) for key, value in attributes.items()})

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


def is_instrumented(app: FastAPI) -> bool:
    """Say whether an application has server spans already, ours or contrib's alone."""
    return getattr(app, "_is_instrumented_by_opentelemetry", False)


def stable_semantic_conventions() -> None:
    """Choose the stable attribute names, before any instrumentor reads this variable (its only switch)."""
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http,database"


def plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Give attributes as the SDK takes them: it looks at values on the spot, and raises whatever they raise."""
    return {key: any_value(value) for key, value in attributes.items()}


def current_ids() -> SpanIds | None:
    """Give the ids of the current span, or None outside of any."""
    return span_ids(trace.get_current_span())


def span_ids(span: Span) -> SpanIds | None:
    """Give the ids of a span as plain data, or None where it is none."""
    context = span.get_span_context()
    if not context.is_valid:
        return None
    return SpanIds(f"{context.trace_id:032x}", f"{context.span_id:016x}", context.trace_flags.sampled)


def record_as_told(span: Span) -> None:
    """Make a span record exceptions by `exception_attributes`; the SDK's own way tells whatever their texts quote.

    Args:
        span: has just begun.
    """
    span.record_exception = partial(_record, span)  # type: ignore[method-assign]


def _record(
    span: Span,
    exception: BaseException,
    attributes: Mapping[str, Any] | None = None,
    timestamp: int | None = None,
    escaped: bool = False,  # noqa: ARG001 - the SDK's signature; deprecated in the conventions
) -> None:
    span.add_event("exception", {**exception_attributes(exception), **(attributes or {})}, timestamp)
