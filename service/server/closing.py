"""How a connection ends: with the last answer, and so that the client sees that answer.

A socket closed with unread bytes resets the connection, and the reset can overtake the answer (RFC 9112
section 9.6).
"""

import asyncio
from functools import partial
from typing import Any, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from service.server.deadline import Deadline
from service.server.flow import Flow
from service.server.serving import ServingProtocol

LEAVING = "clearstory.leaving"
"""ASGI extension: once its `tell` has been called, a client that ends its side of the connection has left."""
# How long what still comes is read and thrown away. Seconds.
LINGER = 5.0


class _Closer:
    """The transport as the requests of a connection see it: closing lets the client see the answer."""

    def __init__(self, protocol: "ClosingProtocol") -> None:
        self.write = protocol.transport.write
        self.is_closing = protocol.transport.is_closing
        self.close = protocol.close_after_answer


class ClosingProtocol(ServingProtocol):
    """A connection's end.

    Attributes:
        refused: Nothing more is taken from this connection: it did not speak HTTP, or it is at its end.
        lost: The connection is no more.
        deadline: What is due.
    """

    flow: Flow

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
        super().__init__(*args, **kwargs)
        self.refused = False
        self._ended = False
        self._lingering = False
        self._untold = False
        self._attached: RequestResponseCycle | None = None
        self.lost = asyncio.Event()
        self.deadline = Deadline(self.loop)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection."""
        super().connection_made(transport)
        self.flow = Flow(transport, lambda: not self.pipeline and not self.refused)
        self._closer = cast("asyncio.Transport", _Closer(self))

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self.lost.set()
        self.deadline.disarm()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        cycle.transport = self._closer
        cycle.scope.setdefault("extensions", {})[LEAVING] = {"tell": partial(self._attach, cycle)}
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Take up the next request, or wait for it."""
        super().on_response_complete()
        if self.busy or self.transport.is_closing():
            return
        # uvicorn resumes before it has taken the last request out of the queue.
        self.flow.resume_reading()
        if self.in_body and not self.deadline.armed:
            self.deadline.arm(LINGER, self.transport.close)

    def close_after_answer(self) -> None:
        """End the connection, once what the client is sending is out of the way."""
        on_its_way = self.refused or self.in_body or self._untold or self.active is not self.cycle
        if self._ended or not on_its_way:
            self.transport.close()
        else:
            self.linger()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Take a client's word that it asks for nothing more, and answer what it has asked.

        It may as well have left: then the first bytes of an answer find out. Who must know before says so.

        Returns:
            Whether the connection stays open for answers; the last one ends it.
        """
        if self._lingering or (self.in_body and self.active is self.cycle):
            return False
        if self.busy and self._attached is self.active:
            self.disconnect()
            return False
        if self.in_body and self.pipeline:
            self.pipeline.popleft()
        last = self.newest
        if last is None or last.response_complete:
            return False
        self._ended = self.refused = True
        self.deadline.disarm()
        last.keep_alive = False
        return True

    def _attach(self, cycle: RequestResponseCycle) -> None:
        """Let a request learn of its client's leave at once: no FIN says whether the client still reads."""
        self._attached = cycle
        if self._ended and self.busy and self.active is cycle:
            self.disconnect()
            self.transport.close()

    def linger(self) -> None:
        """End this side, and throw away what still comes, for a while: the client finds an end and no reset."""
        if self._lingering:
            return
        self._lingering = self.refused = True
        self.pipeline.clear()
        self.transport.write_eof()
        self.flow.resume_discarding()
        self.deadline.arm(LINGER, self.transport.close)

    def drain(self) -> None:
        """Say with the last answer to what has come that the connection ends; what comes now is told anyway."""
        last = self.newest
        # A client that has begun to read an answer without `Connection: close` may already be writing.
        if last is not None and not last.response_started:
            last.keep_alive = False

    def shutdown(self) -> None:
        """End the connection now if nobody waits for an answer on it, else after the last one."""
        last = self.newest
        if last is None or last.response_complete:
            # A request may be on its way already.
            self.linger()
        else:
            self._untold = last.response_started and last.keep_alive
            last.keep_alive = False
