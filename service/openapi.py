"""The description of the API: operation ids, problems, security; the same bytes wherever it is made."""

import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.responses import Response

from service.access import POLICY_FIELD, SECURITY_SCHEME, public
from service.problems import MEDIA_TYPE
from service.routes.etag import tagged

PATH = "/openapi.json"

Responses = dict[int | str, dict[str, Any]]

_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_VALIDATORS = {name: {"schema": {"type": "string"}} for name in ("ETag", "Cache-Control")}
_DESCRIPTIONS = {
    401: "No valid bearer token.",
    404: "There is nothing here, or it is somebody else's.",
    409: "The current state does not allow this.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The request is not valid.",
    429: "Over the rate limit.",
    502: "The answer is not complete, and nothing of it was kept.",
    503: "The service cannot answer at the moment.",
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: _RETRY_AFTER,
    503: _RETRY_AFTER,
}

CACHED: Responses = {
    200: {"headers": _VALIDATORS},
    304: {"description": "The client's copy (`If-None-Match`) is current.", "headers": _VALIDATORS},
}
"""`responses` of a route that answers with an `ETag`."""


class InvalidPart(BaseModel):
    """One thing that is wrong with a request: where, and what; never the value."""

    loc: list[str | int]
    type: str
    msg: str


class Problem(BaseModel):
    """An error (RFC 9457). `type` tells kinds apart; the ids find the request in logs and traces."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    trace_id: str | None
    errors: list[InvalidPart] = Field(default_factory=list, description="With 422.")


def problems(*statuses: int) -> Responses:
    """`responses` of a route that answers with these problems beside those of its kind."""
    return {status: _problem(status) for status in statuses}


def operation_id(route: APIRoute) -> str:
    """`tag:name-with-dashes`, for `FastAPI(generate_unique_id_function=…)`.

    Raises:
        ValueError: the route has no tag; the text names it.
    """
    if not route.include_in_schema:
        return route.name  # nobody generates a client for it
    if not route.tags:
        raise ValueError(f"{route.path}: a route needs a tag for its operation id")
    return f"{route.tags[0]}:{route.name.replace('_', '-')}"


def install(app: FastAPI, *, serve: bool = True) -> None:
    """Make `app.openapi()` describe what the service really answers.

    Args:
        app: made with `openapi_url=None`; all routes may still be added.
        serve: whether `/openapi.json` is there.
    """
    described: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not described:
            described.update(_describe(app))
        return described

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend it

    async def openapi_json(request: Request) -> Response:
        return tagged(request, document(app))

    if serve:
        app.add_api_route(PATH, openapi_json, name="openapi", include_in_schema=False, **public())


def document(app: FastAPI) -> bytes:
    """The description as the file that is committed: UTF-8 JSON, indented, with a final newline."""
    return (json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n").encode()


def _describe(app: FastAPI) -> dict[str, Any]:
    described = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    for operations in described["paths"].values():
        for operation in operations.values():
            _complete(operation)
    components = described.setdefault("components", {})
    components["securitySchemes"] = {SECURITY_SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schema.pop("$defs") | {"Problem": schema}
    components["schemas"] = dict(sorted(schemas.items()))
    return described


def _complete(operation: dict[str, Any]) -> None:
    """Add the problems that the layers in front of the handler answer with."""
    responses = operation["responses"]
    found: set[int] = set()
    if operation["security"]:
        found |= {401, 503}
    if operation.get(POLICY_FIELD) is not None:
        found.add(429)
    if "requestBody" in operation:
        found |= {413, 415}
    # FastAPI announces a 422 of its own shape, also where the only input is a path, of which all are valid.
    responses.pop("422", None)
    if "requestBody" in operation or any(given["in"] != "path" for given in operation.get("parameters", ())):
        found.add(422)
    for status in found:
        responses[str(status)] = _problem(status)
    operation["responses"] = dict(sorted(responses.items()))


def _problem(status: int) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": _DESCRIPTIONS[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in _HEADERS:
        described["headers"] = _HEADERS[status]
    return described
