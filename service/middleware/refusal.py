"""How a layer answers in the handler's place."""

import asyncio

from starlette.types import Receive, Scope, Send

from service.errors import ServiceError
from service.middleware.head import read_head
from service.problems import send_problem
from telemetry import current_request

# Whoever is refused lets the event loop turn so often first: work with the database takes a dozen turns, each of which
# would serve every client that asks again at once. Sixteen of them left one in forty of others' writes (measured).
TURNS = 32
CLOSE = (b"connection", b"close")


async def refuse(error: ServiceError, scope: Scope, receive: Receive, send: Send, *, layer: str, reason: str) -> None:
    """Answer with `error` and say who refused and why.

    Args:
        error: what the client is told.
        scope: of the request.
        receive: of the request.
        send: of the request.
        layer: the layer's name.
        reason: one of a bounded set, for metrics.
    """
    record = current_request(scope)
    record.reject(layer, reason)
    for _ in range(TURNS):
        await asyncio.sleep(0)
    if read_head(scope).has_body:
        # The body is not read: what is left of it must not keep the connection.
        record.response_headers.append(CLOSE)
    await send_problem(error, scope, receive, send)
