"""A server that stops without dropping anyone, and stops in bounded time.

1. The signal: readiness turns 503 and every answer says `Connection: close`, but the listener stays open
   for `DRAIN_SECONDS`: whoever still routes here is served.
2. The listener and idle connections close; requests in flight have `SHUTDOWN_GRACE_SECONDS`.
3. What is left is cancelled, and awaited briefly so that its access event and span come out.
4. The lifespan closes the resources and flushes the telemetry.

A second signal goes to step 3 at once; a third one ends the process. uvicorn alone closes the listener
first, waits without end, and raises the signal again at the end (exit status 143).
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from uvicorn import Config, Server
from uvicorn.lifespan.on import LifespanOn, LifespanSendMessage

from service.readiness import Readiness
from service.server import BoundedProtocol

# How long cancelled requests may take to end. Seconds.
CANCELLED = 0.5
# How long the lifespan may take to close; the telemetry's flush has a deadline of its own. Seconds.
CLOSING = 2.0
# For requests that have arrived but were not read yet. Seconds.
LAST_READ = 0.1
_THIRD = 3


_quiet = logging.getLogger(f"{__name__}.quiet")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


class StartFailedError(Exception):
    """The service did not come up; the reason is in the log, or is the text. One line."""


class DrainingServer(Server):
    """One process's server.

    Args:
        config: uvicorn's; its protocol class is a `bounded` one.
        readiness: Told when the process is told to stop.
        drain: `DRAIN_SECONDS`.
        grace: `SHUTDOWN_GRACE_SECONDS`.
        started: Called once the listener is open.
    """

    def __init__(
        self,
        config: Config,
        readiness: Readiness,
        *,
        drain: float,
        grace: float,
        started: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._say_started = started
        self._readiness = readiness
        self._drain = drain
        self._grace = grace
        self._signals = 0
        self._forced = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    def handle_exit(self, _sig: int, _frame: FrameType | None) -> None:
        """Take a signal. It is not raised again afterwards: a service told to stop has not failed."""
        self._signals += 1
        self._readiness.drain()
        self.should_exit = True
        if self._signals >= _THIRD:
            os._exit(1)
        if self._serving is not None:
            loop = self._serving.get_loop()
            if self._signals > 1:
                loop.call_soon_threadsafe(self._forced.set)
            elif not self.started:
                # Nobody is served yet, and what the start waits for may never come.
                loop.call_soon_threadsafe(self._serving.cancel)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal comes; a start that is interrupted by one ends as well as any.

        Raises:
            StartFailedError: The lifespan failed, or the address is taken.
        """
        self._serving = asyncio.current_task()
        try:
            await super().serve(sockets)
        except asyncio.CancelledError:
            if self.started or not self.should_exit:
                raise
            # The lifespan's task is cancelled with the loop; uvicorn would log that as a failure.
            self._readiness.failure = "told to stop during the start"
            self.lifespan.startup_failed = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the lifespan, then the listener."""
        self.lifespan = _Lifespan(self.config, self._readiness)
        try:
            await super().startup(sockets)
        except SystemExit as failure:
            # uvicorn exits from inside a task, which tears the loop down around everybody else.
            reason = self._readiness.failure or "the service could not start; the log says why"
            raise StartFailedError(reason) from failure
        except OSError as failure:
            await self.lifespan.shutdown()
            raise StartFailedError(f"cannot listen: {failure.strerror}") from failure
        self._say_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Go through the steps above."""
        for connection in self._connections():
            connection.drain()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._forced.wait(), self._drain)
        for listener in [*self.servers, *(sockets or ())]:
            listener.close()
        await asyncio.sleep(LAST_READ)
        for connection in self._connections():
            connection.shutdown()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._in_flight(), self._grace)
        await self._cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.lifespan.shutdown(), CLOSING)
        for connection in self._connections():
            connection.transport.abort()

    async def _in_flight(self) -> None:
        forced = asyncio.ensure_future(self._forced.wait())
        try:
            while self.server_state.tasks and not forced.done():
                await asyncio.wait([forced, *self.server_state.tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            forced.cancel()

    async def _cancel(self) -> None:
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CANCELLED)

    def _connections(self) -> list[BoundedProtocol]:
        return [c for c in self.server_state.connections if isinstance(c, BoundedProtocol)]


class _Lifespan(LifespanOn):
    """Keeps quiet about a failure that is told in one plain line; uvicorn would show its traceback."""

    def __init__(self, config: Config, readiness: Readiness) -> None:
        super().__init__(config)
        self._readiness = readiness

    async def send(self, message: LifespanSendMessage) -> None:
        """Take the application's word."""
        if message["type"] == "lifespan.startup.failed" and self._readiness.failure is not None:
            self.logger = _quiet
        await super().send(message)
