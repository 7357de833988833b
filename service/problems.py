"""The one place that turns an error into a response: `application/problem+json` (RFC 9457) with the request's ids."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.errors import ContentTooLarge, Headers, NotFound, ServiceError, UnprocessableContent
from telemetry import current_request

MEDIA_TYPE = "application/problem+json"


def install(app: FastAPI) -> None:
    """Make every error that reaches the framework a problem."""

    async def service_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, ServiceError)  # noqa: S101 - registered for this type alone; tells mypy
        return _response(error, request.scope)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - the same
        # FastAPI turns whatever `receive` raises into a 400; what a layer said is more precise.
        if isinstance(error.__cause__, ServiceError):
            return _response(error.__cause__, request.scope)
        return _from_framework(error, request)

    async def invalid_request(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - the same
        return _response(UnprocessableContent(list(_without_input(error.errors()))), request.scope)

    app.add_exception_handler(ServiceError, service_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid_request)


async def send_problem(error: ServiceError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer an HTTP request with `error`; for layers below which there is no framework."""
    await _response(error, scope)(scope, receive, send)


def document(error: ServiceError, scope: Scope) -> bytes:
    """Give the problem itself, for an answer that has begun as something else."""
    return _document(scope, type(error), error.detail, error.extensions())


def _document(scope: Scope, kind: type[ServiceError], detail: str, extensions: dict[str, Any]) -> bytes:
    request = current_request(scope)
    problem = {
        "type": f"urn:clearstory:problem:{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        **extensions,
        "request_id": request.request_id,
        "trace_id": request.trace_id,
    }
    return json.dumps(problem).encode()


def _response(error: ServiceError, scope: Scope) -> Response:
    # Every refusal comes by here, a layer's or a route's: none can be left off the span.
    current_request(scope).refused_by = error.refused_by
    return _problem(scope, type(error), error.detail, error.headers(), error.extensions())


def _problem(
    scope: Scope, kind: type[ServiceError], detail: str, headers: Headers, extensions: dict[str, Any]
) -> Response:
    response = Response(_document(scope, kind, detail, extensions), kind.status, media_type=MEDIA_TYPE)
    response.raw_headers.extend(headers)
    return response


class _BadRequest(ServiceError):
    status = 400
    code = "bad-request"
    title = "Bad Request"
    default_detail = "The request could not be read."


class _MethodNotAllowed(ServiceError):
    status = 405
    code = "method-not-allowed"
    title = "Method Not Allowed"
    default_detail = "This method is not allowed here; see Allow."


# What the framework itself refuses: unreadable bodies, unknown paths, wrong methods.
_FRAMEWORK = {kind.status: kind for kind in (_BadRequest, NotFound, _MethodNotAllowed, ContentTooLarge)}


def _from_framework(error: HTTPException, request: Request) -> Response:
    kind = _FRAMEWORK.get(error.status_code, ServiceError)
    headers: Headers = []
    if kind is _MethodNotAllowed:
        headers = [(b"allow", ", ".join(_allowed_methods(request)).encode())]
    return _problem(request.scope, kind, kind.default_detail, headers, {})


def _allowed_methods(request: Request) -> list[str]:
    # Starlette names the methods of the first route whose path matches; RFC 9110 section 15.5.6 wants all.
    path = request.scope["path"]
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path_regex.match(path):
            found |= route.methods or set()
    return sorted(found)


# pydantic's messages of these types are made of the schema's own constraints; others quote the input.
_SAFE_MESSAGES = frozenset(
    {
        "bool_type", "dict_type", "enum", "extra_forbidden", "greater_than_equal", "int_parsing",
        "int_type", "less_than_equal", "list_type", "literal_error", "missing", "model_attributes_type",
        "model_type", "string_pattern_mismatch", "string_too_long", "string_too_short", "string_type",
    }
)  # fmt: skip
_SLUG = re.compile(r"[a-z_]{1,64}")
_MAX_ERRORS = 20


def _without_input(errors: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for error in errors[:_MAX_ERRORS]:
        kind = str(error["type"])
        loc = list(error["loc"])
        if kind == "extra_forbidden":
            loc.pop()  # the name of an unknown field is the client's own text
        yield {
            "loc": loc,
            "type": kind if _SLUG.fullmatch(kind) else "invalid",
            "msg": error["msg"] if kind in _SAFE_MESSAGES else "The value is not valid.",
        }
