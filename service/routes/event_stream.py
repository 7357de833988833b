"""Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html), as they happen."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi.sse import KEEPALIVE_COMMENT
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.errors import ServiceError
from service.problems import document
from service.routes.attached import attached, running
from telemetry import current_request

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_SECONDS = 10.0
"""A silence no longer than this; proxies end connections that are silent for a minute, some for less."""


def event(name: str, data: bytes) -> bytes:
    """Write an event.

    Args:
        name: one line.
        data: JSON, which needs no more than one line.
    """
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def failure(error: ServiceError, scope: Scope) -> bytes:
    """Write the event that ends a stream which cannot go on; the request's span and access event say it too.

    Args:
        error: what the client is told.
        scope: of the request.
    """
    current_request(scope).error_type = error.code
    return event("error", document(error, scope))


class EventStream(Response):
    """Sends events one by one, each at once, and comments while there are none.

    The client's leave ends it: the events' generator is closed where it waits, in the request's own task.

    Args:
        first: the first event, which is there already.
        events: those that follow; an error that leaves it ends the connection.
        stopped: what the client is told if the service stops before they end.
        heartbeat: seconds of silence.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        first: bytes,
        events: AsyncGenerator[bytes, None],
        stopped: ServiceError,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        # nginx would keep events back until its buffer is full (ngx_http_proxy_module, X-Accel-Buffering).
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._first, self._events, self._stopped = first, events, stopped
        self._heartbeat = heartbeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them all.

        Raises:
            ClientDisconnect: the client has left.
        """
        loop = asyncio.get_running_loop()
        last = loop.time()

        async def write(body: bytes, *, more: bool = True) -> None:
            nonlocal last
            last = loop.time()
            await send({"type": "http.response.body", "body": body, "more_body": more})

        async def beat() -> None:
            while True:
                await asyncio.sleep(max(last + self._heartbeat - loop.time(), 0))
                if loop.time() - last >= self._heartbeat:
                    await write(KEEPALIVE_COMMENT)

        begun = False
        try:
            async with aclosing(self._events), attached(scope, receive):
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                begun = True
                await write(self._first)
                async with running(beat()):
                    async for written in self._events:
                        await write(written)
        except asyncio.CancelledError:
            # The service stops. Whoever listens is told, since an end alone looks like the letter's.
            if begun:
                await write(failure(self._stopped, scope))
                await write(b"", more=False)
            raise
        await write(b"", more=False)
