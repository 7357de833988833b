"""The application's side of a connection: one request runs at a time, and learns when its client has gone."""

import asyncio
from typing import Any

from starlette.requests import ClientDisconnect
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from service.server.framing import FramedProtocol


class ServingProtocol(FramedProtocol):
    """A connection's requests.

    Attributes:
        active: The request that runs, or ran last.
        given_up: The client does not read what it is sent.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
        super().__init__(*args, **kwargs)
        self.active: RequestResponseCycle | None = None
        self.given_up = False

    @property
    def busy(self) -> bool:
        """Say whether a request waits for its answer, or for the end of it."""
        return self.active is not None and not self.active.response_complete

    @property
    def newest(self) -> RequestResponseCycle | None:
        """Give the last request that has come; those before it must not close."""
        return self.pipeline[0][0] if self.pipeline else self.active

    def disconnect(self) -> None:
        """Tell the request that runs that its client has gone."""
        # uvicorn tells the newest request only; with pipelining another one is running.
        if self.active is not None and not self.active.response_complete:
            self.active.disconnected = True
            self.active.message_event.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of what waits, and tell the request that runs."""
        self.pipeline.clear()
        self.disconnect()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self.active = cycle
        super()._start_asgi_task(cycle, self._ends_quietly(cycle, app))

    def _ends_quietly(self, cycle: RequestResponseCycle, app: ASGI3Application) -> ASGI3Application:
        """End a request that the server gave up without uvicorn's logged 500: its story says 499."""

        async def serve(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - three ASGI callables
            async def send_or_leave(message: Any) -> None:  # noqa: ANN401
                await send(message)
                if self.given_up:
                    # uvicorn drops the message without a word, and a response that nobody got would be told.
                    raise ClientDisconnect

            try:
                await app(scope, receive, send_or_leave)
            except asyncio.CancelledError:
                # Nothing more is sent: half an answer must not look like a whole one.
                cycle.disconnected = True
                cycle.transport.close()

        return serve
