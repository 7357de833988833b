"""A server that stops without dropping anyone, and stops in bounded time.

1. The signal: readiness turns 503 and every answer says `Connection: close`, but the listener stays open
   for `DRAIN_SECONDS`: whoever still routes here is served.
2. The listener closes, and idle connections end; requests in flight have `SHUTDOWN_GRACE_SECONDS`.
3. What is left towards the end of the grace is cancelled, and awaited so that its access event and span come out.
4. The lifespan closes the resources and flushes the telemetry, for which it has a second.

Time is counted from the signal: a stop takes `DRAIN_SECONDS`, `SHUTDOWN_GRACE_SECONDS` and that second at most.
A second signal goes to step 3 at once; a third one ends the process. uvicorn alone closes the listener
first, waits without end, and raises the signal again at the end (exit status 143).
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType

from uvicorn import Config, Server

from service.listeners import take_waiting
from service.readiness import Readiness
from service.server import BoundedProtocol
from service.startup import QuietLifespan, StartFailedError

# How long cancelled requests may take to end. Seconds.
CANCELLED = 0.25
# How long the lifespan may take to close: the telemetry's flush, with a deadline of its own, and the rest. Seconds.
CLOSING = 1.25
# What the grace keeps for the cancelled requests, the rest of the lifespan and the interpreter's end, if it can.
# Seconds.
ENDING = 0.6
# For requests that have arrived but were not read yet. Seconds.
LAST_READ = 0.1
# How long clients may take to see that their idle connection has ended. Seconds.
LAST_CLOSE = 0.3
# uvicorn's, in a second.
TICKS = 10
_THIRD = 3


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
        self._signalled = 0.0
        self._forced = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    def handle_exit(self, _sig: int, _frame: FrameType | None) -> None:
        """Take a signal. It is not raised again afterwards: a service told to stop has not failed."""
        self._signals += 1
        self._signalled = self._signalled or time.monotonic()
        self._readiness.drain()
        self.should_exit = True
        if self._signals >= _THIRD:
            os._exit(1)
        if self._serving is not None:
            loop = self._serving.get_loop()
            if self._signals > 1:
                loop.call_soon_threadsafe(self._forced.set)
            elif not self.started:
                loop.call_soon_threadsafe(self._interrupt_start)

    def _interrupt_start(self) -> None:
        # Nobody is served yet, and what the start waits for may never come; it may be over by now.
        if self._serving is not None and not self.started:
            self._serving.cancel()

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
        self.lifespan = QuietLifespan(self.config, self._readiness)
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

    async def on_tick(self, counter: int) -> bool:
        """Look after what clients do not read, once a second."""
        if counter % TICKS == 0:
            now = asyncio.get_running_loop().time()
            for connection in self._connections():
                connection.look_after_unread(now)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Go through the steps above."""
        for connection in self._connections():
            connection.drain()
        closes = self._signalled + self._drain
        with suppress(TimeoutError):
            await asyncio.wait_for(self._forced.wait(), _until(closes))
        await self._close_listeners(sockets or ())
        await asyncio.sleep(LAST_READ)
        for connection in self._connections():
            connection.shutdown()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._in_flight(), _until(closes + max(self._grace - ENDING, self._grace / 2)))
        await self._cancel()
        await asyncio.gather(self._close_lifespan(), self._seen_off())
        for connection in self._connections():
            connection.transport.abort()

    async def _close_listeners(self, sockets: Sequence[socket.socket]) -> None:
        waiting = take_waiting(sockets)
        for server in self.servers:
            server.close()
        for listener in sockets:
            listener.close()
        loop = asyncio.get_running_loop()
        for connection in waiting:
            await loop.connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

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

    async def _close_lifespan(self) -> None:
        try:
            await asyncio.wait_for(self.lifespan.shutdown(), CLOSING)
        except TimeoutError:
            if isinstance(self.lifespan, QuietLifespan):
                self.lifespan.hush()

    async def _seen_off(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_CLOSE):
                for connection in self._connections():
                    await connection.lost.wait()

    def _connections(self) -> list[BoundedProtocol]:
        return [c for c in self.server_state.connections if isinstance(c, BoundedProtocol)]


def _until(moment: float) -> float:
    return max(moment - time.monotonic(), 0)
