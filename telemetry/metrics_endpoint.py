"""`GET /metrics`, for those who may read it; nobody else learns that it is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import Response

from telemetry.edge import within
from telemetry.request import current_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from telemetry.metrics import Metrics
    from telemetry.settings import Network


def metrics_endpoint(
    metrics: Metrics, allowed: tuple[Network, ...], trusted: tuple[Network, ...]
) -> Callable[[Request], Awaitable[Response]]:
    """Give the endpoint.

    Args:
        metrics: what is shown.
        allowed: networks whose clients may read.
        trusted: networks of the proxies. A forwarded request is answered only if its client is known: not when
            its peer is no trusted proxy, nor when the trail ends at a proxy (missing, broken, contradictory).
    """

    async def endpoint(request: Request) -> Response:
        record = current_request(request.scope)
        unknown = record.forwarded and (not record.peer_trusted or within(trusted, record.client))
        if unknown or not within(allowed, record.client):
            raise HTTPException(404)
        # Tens of milliseconds of rendering are not for the event loop.
        body, content_type = await asyncio.to_thread(metrics.render, request.headers.get("accept", ""))
        return Response(body, media_type=None, headers={"content-type": content_type})

    return endpoint
