"""A request's body, counted and timed as it arrives: what its head says about it changes nothing."""

import asyncio
from time import monotonic

from starlette.types import Message, Receive

from service.errors import ContentTooLarge, RequestTimeout, ServiceError, UnsupportedMediaType
from service.middleware.refusal import CLOSE
from service.middleware.structure import Structure
from telemetry import RequestRecord

IDLE_SECONDS = 15.0
TOTAL_SECONDS = 60.0
MAX_STRUCTURE = 10_000
"""Quotes, commas and opening brackets of a JSON body, those within texts not counted."""


class Body:
    """Wraps `receive` for one request.

    Args:
        receive: the server's.
        record: of the request.
        layer: in whose name it refuses.
        limit: bytes.
        json: whether it is going to be parsed as JSON: then its structure is limited, too.
        idle: seconds that may pass between two chunks.
        total: seconds for the whole body, from the first look at it.
    """

    __slots__ = ("_deadline", "_idle", "_layer", "_left", "_receive", "_record", "_structure", "_total", "complete")

    def __init__(
        self,
        receive: Receive,
        record: RequestRecord,
        *,
        layer: str,
        limit: int,
        json: bool,
        idle: float = IDLE_SECONDS,
        total: float = TOTAL_SECONDS,
    ) -> None:
        self._receive = receive
        self._record = record
        self._layer = layer
        self._left = limit
        self._structure = Structure(MAX_STRUCTURE) if json else None
        self._idle = idle
        self._total = total
        self._deadline: float | None = None
        self.complete = False

    async def receive(self) -> Message:
        """The next message.

        Raises:
            ContentTooLarge: more bytes than the limit, or more structure than any model takes.
            UnsupportedMediaType: JSON, but not in UTF-8.
            RequestTimeout: too slow. FastAPI makes a 400 of whatever is raised here, with this as its
                cause; `problems.install` sends the cause.
        """
        if self.complete:
            # Only a disconnect can follow, and a long answer may be on its way: no deadline.
            return await self._receive()
        now = monotonic()
        if self._deadline is None:
            self._deadline = now + self._total
        try:
            async with asyncio.timeout(min(self._idle, self._deadline - now)):
                message = await self._receive()
        except TimeoutError as error:
            raise self._refused("slow_body", RequestTimeout()) from error
        if message["type"] != "http.request":
            self.complete = True
            return message
        chunk = message.get("body", b"")
        self._left -= len(chunk)
        if self._left < 0:
            raise self._refused("body_too_large", ContentTooLarge())
        if self._structure is not None:
            if b"\0" in chunk:
                # UTF-16 and UTF-32, which the parser would find out and read.
                raise self._refused("content_type", UnsupportedMediaType())
            if self._structure.exceeded_by(chunk):
                raise self._refused("body_too_large", ContentTooLarge())
        self.complete = not message.get("more_body", False)
        return message

    def _refused(self, reason: str, error: ServiceError) -> ServiceError:
        self._record.reject(self._layer, reason)
        self._record.response_headers.append(CLOSE)
        return error
