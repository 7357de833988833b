"""Work that ends when its client leaves, or the service stops."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from service.errors import Unavailable
from service.readiness import Readiness, State
from service.server import LEAVING


@asynccontextmanager
async def running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do something beside what is within, until that ends."""
    task = asyncio.get_running_loop().create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _never() -> None:
    """A server without the extension says of itself when a client has left."""


@asynccontextmanager
async def attached(scope: Scope, receive: Receive) -> AsyncIterator[None]:
    """Cancel what is within at the moment the client disconnects.

    For other requests a client may end its side and still wait for the answer; work that costs is not done for one
    that may as well have left.

    Args:
        scope: of the request.
        receive: of the request, whose body has been read.

    Raises:
        ClientDisconnect: it did.
    """
    scope.get("extensions", {}).get(LEAVING, {}).get("tell", _never)()
    loop = asyncio.get_running_loop()
    try:
        # A deadline that nobody has set yet is a cancellation that cannot be taken for anybody else's.
        async with asyncio.timeout(None) as deadline:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                deadline.reschedule(loop.time())

            async with running(watch()):
                yield
    except TimeoutError:
        if deadline.expired():
            raise ClientDisconnect from None
        raise


@asynccontextmanager
async def answered(request: Request) -> AsyncIterator[None]:
    """Do what makes an answer: `attached` to its client, who is told when the service stops before it is made.

    Args:
        request: whose body has been read, and whose answer has not begun.

    Raises:
        ClientDisconnect: the client has left.
        Unavailable: the service has stopped it, its grace being over.
    """
    readiness: Readiness = request.app.state.readiness
    try:
        async with attached(request.scope, request.receive):
            yield
    except asyncio.CancelledError:
        # Only the server's stop leaves somebody there to be told.
        if readiness.state is State.DRAINING:
            raise Unavailable from None
        raise
