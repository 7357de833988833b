"""The packages that people combine today for the same features, each set up as its documentation says.

contrib OpenTelemetry, asgi-correlation-id, prometheus-fastapi-instrumentator, slowapi, secure, PyJWT behind
FastAPI's HTTPBearer, structlog through the standard library's logging, and sentry-sdk. The access log and the
security headers are `@app.middleware("http")`, that is `BaseHTTPMiddleware`, as their documentation shows.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import jwt
import sentry_sdk
import structlog
from asgi_correlation_id import CorrelationIdMiddleware, correlation_id
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from opentelemetry import trace
from prometheus_fastapi_instrumentator import Instrumentator
from secure import Secure
from slowapi import Limiter
from slowapi.middleware import SlowAPIMiddleware

from benchmarks import contrib
from benchmarks.subject import AUDIENCE, ISSUER, SECRET, Subject, bare_app

CallNext = Callable[[Request], Awaitable[Response]]

_bearer = HTTPBearer()


def authenticate(request: Request, credentials: Annotated[HTTPAuthorizationCredentials, Depends(_bearer)]) -> None:
    """Checks the token on every request, as a FastAPI dependency.

    Raises:
        HTTPException: 401 for a token that is not good.
    """
    try:
        claims = jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"], audience=AUDIENCE, issuer=ISSUER)
    except jwt.PyJWTError as error:
        raise HTTPException(401) from error
    request.state.principal = claims["sub"]


def build(sampling: float, endpoint: str) -> Subject:
    """Builds the app within everything, spans batched and thrown away, Sentry sending to the endpoint.

    Args:
        sampling: the share of traces that is sampled; Sentry's own share stays 0.1.
        endpoint: base URL of the discarding endpoint.
    """
    configure_logging()
    sentry_sdk.init(dsn=dsn(endpoint), traces_sample_rate=0.1)
    app = bare_app(dependencies=[Depends(authenticate)])
    access_log(app)
    security_headers(app)
    app.state.limiter = Limiter(
        key_func=lambda request: request.headers["authorization"],
        default_limits=["1000000/minute"],
        headers_enabled=True,
    )
    app.add_middleware(SlowAPIMiddleware)
    Instrumentator().instrument(app)
    app.add_middleware(CorrelationIdMiddleware)
    spans = contrib.instrumented(app, sampling, endpoint, export=False)

    async def drain() -> None:
        await spans.drain()
        sentry_sdk.flush()

    return Subject(spans.app, drain)


def dsn(endpoint: str) -> str:
    """Returns a Sentry DSN of the discarding endpoint."""
    return endpoint.replace("http://", "http://key@") + "/1"


def configure_logging() -> None:
    """Sets structlog up over the standard library, as its documentation's long example does."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        trace_ids,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.dict_tracebacks,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)


def trace_ids(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Adds the current span's ids to a line, as the usual recipe does."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def access_log(app: FastAPI) -> None:
    """Logs one line a request."""
    log = structlog.stdlib.get_logger("access")

    @app.middleware("http")
    async def log_request(request: Request, call_next: CallNext) -> Response:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=correlation_id.get())
        begun = time.perf_counter()
        response = await call_next(request)
        log.info(
            "request",
            method=request.method,
            path=request.url.path,
            status=response.status_code,
            client=request.client.host if request.client else None,
            duration_ms=(time.perf_counter() - begun) * 1000,
        )
        return response


def security_headers(app: FastAPI) -> None:
    """Adds the security headers to a response."""
    headers = Secure.with_default_headers()

    @app.middleware("http")
    async def add_headers(request: Request, call_next: CallNext) -> Response:
        response = await call_next(request)
        await headers.set_headers_async(response)
        return response
