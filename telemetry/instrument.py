"""The one call: puts edge trust, server span, correlation and the timed layers around an application."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi._body_limit import AppBodyLimitMiddleware
from starlette.middleware import Middleware

from telemetry import names
from telemetry.correlation import Correlation
from telemetry.edge import Edge
from telemetry.failures import error_response
from telemetry.lifecycle import Telemetry
from telemetry.metrics_endpoint import metrics_endpoint
from telemetry.middleware import Layer, TimedChain
from telemetry.request import SCOPE_KEY
from telemetry.routes import RouteTable
from telemetry.tracing import is_instrumented

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from fastapi import FastAPI
    from starlette.types import ASGIApp, Scope

    from telemetry.correlation import Headers, ResponseHeaders
    from telemetry.request import RequestRecord
    from telemetry.settings import TelemetrySettings


def no_headers(_scope: Scope, _record: RequestRecord, _status: int, _headers: Headers) -> Iterable[tuple[bytes, bytes]]:
    """Add nothing to a response."""
    return ()


def instrument(
    app: FastAPI,
    settings: TelemetrySettings,
    *,
    layers: Sequence[Layer] = (),
    response_headers: ResponseHeaders = no_headers,
) -> Telemetry:
    """Instrument an application, before it serves.

    On a request: edge trust, server span, correlation, the layers in their order, the application's own
    middleware, its routes. Around the application's lifespan: telemetry starts before it and is flushed after.

    Args:
        app: the application; routes may still be added until it starts.
        settings: what is told of the service, and where telemetry goes.
        layers: middleware that is timed, in the order of execution.
        response_headers: gives header fields to add to a response that is about to start; called with the
            scope, the request's record, the status and the header fields so far.

    Raises:
        ValueError: the application is instrumented already; each request would be told twice.
    """
    if is_instrumented(app):
        raise ValueError("the application is instrumented already: once is enough")
    telemetry = Telemetry(settings)
    metrics = telemetry.metrics
    endpoint = metrics_endpoint(metrics, settings.metrics_allow, settings.trusted_proxies)
    app.add_route(settings.metrics_path, endpoint, include_in_schema=False)
    telemetry.accounts.watch_layers(layer.name for layer in layers)
    _wrap_lifespan(app, telemetry)
    _insert_middleware(app, telemetry, layers, response_headers)
    telemetry.tracing.instrument_server(app)
    _wrap_edge(app, telemetry)
    return telemetry


def _wrap_lifespan(app: FastAPI, telemetry: Telemetry) -> None:
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(application: Any) -> AsyncIterator[Mapping[str, Any] | None]:  # noqa: ANN401
        async with telemetry.running(), inner(application) as state:
            yield state

    app.router.lifespan_context = lifespan  # type: ignore[assignment]


def _insert_middleware(
    app: FastAPI, telemetry: Telemetry, layers: Sequence[Layer], response_headers: ResponseHeaders
) -> None:
    """Put correlation and the layers before all middleware of the application, also what is added later."""
    build = app.build_middleware_stack
    accounts = telemetry.accounts

    def build_with_layers() -> ASGIApp:
        own, handlers, most = app.user_middleware, app.exception_handlers, app.max_body_size
        correlation = Middleware(
            Correlation,
            accounts=accounts,
            response_headers=response_headers,
            error_response=error_response(handlers.get(500) or handlers.get(Exception)),
            harmless=telemetry.scrubber.leaves,
        )
        timed = Middleware(TimedChain, layers=tuple(layers), finished=accounts.chain_left)
        # FastAPI would put its own limit before them all, and answer outside of the story.
        limit = Middleware(AppBodyLimitMiddleware, max_body_size=most)
        app.user_middleware = [correlation, *([timed] if layers else []), *([limit] if most is not None else []), *own]
        app.max_body_size = None
        # Correlation asks the handler of last resort; Starlette would ask it again, and throw its answer away.
        app.exception_handlers = {key: value for key, value in handlers.items() if key not in {500, Exception}}
        try:
            return build()
        finally:
            app.user_middleware, app.exception_handlers, app.max_body_size = own, handlers, most

    app.build_middleware_stack = build_with_layers  # type: ignore[method-assign]


def _wrap_edge(app: FastAPI, telemetry: Telemetry) -> None:
    build = app.build_middleware_stack

    def build_with_edge() -> ASGIApp:
        routes = RouteTable(app.routes)
        declare_routes(telemetry, routes)
        stack = build()
        without_span = telemetry.tracing.name_server_spans(stack, describe_span)
        return Edge(
            stack, without_span=without_span, settings=telemetry.settings, routes=routes, tracing=telemetry.tracing
        )

    app.build_middleware_stack = build_with_edge  # type: ignore[method-assign]


def describe_span(scope: Scope) -> tuple[str, dict[str, str]]:
    """Give a server span's name, address and route by the HTTP semantic conventions; no route, no path in the name."""
    record: RequestRecord | None = scope.get(SCOPE_KEY)
    method = record.method if record is not None and record.method != names.OTHER_METHOD else "HTTP"
    server = scope.get("server")
    # contrib writes the port behind it, which has an attribute of its own.
    attributes = {names.ATTR_SERVER_ADDRESS: server[0]} if server else {}
    if record is None or record.route == names.UNMATCHED_ROUTE:
        return method, attributes
    attributes["http.route"] = record.route
    return f"{method} {record.route}", attributes


def declare_routes(telemetry: Telemetry, routes: RouteTable) -> None:
    """Make the time to first byte of every route exist at 0, and the durations of what it documents."""
    untraced = telemetry.settings.untraced_paths
    for template in routes.templates:
        path = template.shown
        telemetry.metrics.allow("http_route", path)
        if path in untraced or template.methods is None:
            continue
        for method in template.methods & set(names.METHODS):
            telemetry.metrics.histogram(names.TIME_TO_FIRST_BYTE, method, path)
            for status in _documented(template.route):
                telemetry.metrics.histogram(names.REQUEST_DURATION, method, path, status)


def _documented(route: Any) -> set[str]:  # noqa: ANN401 - a FastAPI route or what stands for one
    statuses = {str(status) for status in (getattr(route, "responses", None) or {}) if str(status).isdigit()}
    statuses.add(str(getattr(route, "status_code", None) or 200))
    return statuses
