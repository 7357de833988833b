"""The response to an unhandled exception: RFC 9457 problem details that say nothing but where to look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from starlette.requests import Request
from starlette.responses import Response

from telemetry import names
from telemetry.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from starlette.types import Receive, Scope, Send

    from telemetry.correlation import ErrorResponse
    from telemetry.request import RequestRecord

_log = get_logger(__name__)


def problem_response(scope: Scope, record: RequestRecord) -> Response:  # noqa: ARG001 - the seam's signature
    """Give the 500 of a request, with the ids by which its log and trace are found."""
    problem = {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "The request failed. Its request_id leads to the reason.",
        "request_id": record.request_id,
    }
    if record.trace_id is not None:
        problem["trace_id"] = record.trace_id
    return Response(orjson.dumps(problem), 500, media_type="application/problem+json")


def error_response(handler: Callable[..., Any] | None) -> ErrorResponse:
    """Give what answers unhandled exceptions.

    Args:
        handler: the application's own handler of `Exception` or 500, if it has one; it keeps its say.
    """

    async def respond(scope: Scope, record: RequestRecord, exception: Exception, receive: Receive, send: Send) -> None:
        response = problem_response(scope, record)
        if handler is not None:
            try:
                made = handler(Request(scope), exception)
                response = await made if hasattr(made, "__await__") else made
            except Exception:  # noqa: BLE001 - the application's handler; the client gets an answer all the same
                _log.exception(names.HTTP_REQUEST_FAILED, method=record.method, route=record.route)
        await response(scope, receive, send)

    return respond
