"""How an answer reaches the client: at which pace, and how it may go wrong on its way."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from service.llm.simulated import events
from service.llm.simulated.answer import Answer
from service.llm.simulated.cache import Charge
from service.llm.simulated.errors import ApiError
from service.llm.simulated.faults import Fault

Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
JSON = b"application/json"
EVENTS = b"text/event-stream; charset=utf-8"


class Cut(Exception):
    """The connection is to be closed now, whatever was promised."""


class _Ended(Exception):
    """The stream ends here, with `last`."""

    def __init__(self, last: bytes) -> None:
        super().__init__()
        self.last = last


async def silence() -> None:
    """Wait until the client has had enough of it."""
    await asyncio.get_running_loop().create_future()


class Delivery:
    """One answer on its way.

    Args:
        send: ASGI's.
        headers: of every answer.
        faults: what goes wrong, by name.
        pace: seconds between two pieces; 0: as fast as the client reads. A client that reads late catches up.
        request_id: for what is told of errors.
    """

    def __init__(self, send: Send, headers: Headers, faults: Mapping[str, Fault], pace: float, request_id: str) -> None:
        self._send = send
        self._headers = headers
        self._faults = faults
        self._pace = pace
        self._request_id = request_id
        self._sent = 0

    async def whole(self, status: int, kind: bytes, body: bytes) -> None:
        """Send a body at once."""
        await self._start(status, kind, len(body))
        await self._send({"type": "http.response.body", "body": body})

    async def message(self, body: bytes, answer: Answer) -> None:
        """Send the answer as JSON, in the time that its pieces take.

        Raises:
            Cut: in its middle.
            ApiError: instead of it.
        """
        faults, half = self._faults, body[: len(body) // 2]
        if "endless" in faults:
            await self._start(200, JSON)
            await self._write(body[: body.rfind(b'"}]')])
            for piece in events.endless(answer):
                await self._wait()
                await self._write(orjson.dumps(piece)[1:-1])
        await asyncio.sleep(self._pace * sum(len(part.pieces()) for part in answer.parts))
        if "error_after" in faults:
            raise ApiError(529)
        if "stall_after" in faults or "drop_after" in faults:
            await self._start(200, JSON, len(body))
            await self._write(half)
            if "drop_after" in faults:
                raise Cut
            await silence()
        if "truncated" in faults:
            body = half
        elif "malformed" in faults:
            body = b"{" + body
        elif "utf8" in faults:
            body = body.replace(b'"assistant"', b'"assist\xff\xfeant"', 1)
        await self.whole(200, JSON, body)

    async def stream(self, message_id: str, model: str, answer: Answer, charge: Charge) -> None:
        """Send the answer event by event.

        Raises:
            Cut: in its middle.
        """
        await self._start(200, EVENTS)
        try:
            await self._write(events.beginning(message_id, model, charge))
            await self._pieces(answer)
            last = events.ending(answer, charge)
        except _Ended as ended:
            last = ended.last
        await self._send({"type": "http.response.body", "body": last})

    async def _pieces(self, answer: Answer) -> None:
        total = sum(len(part.pieces()) for part in answer.parts)
        due = asyncio.get_running_loop().time() - self._pace
        for index, part in enumerate(answer.parts):
            await self._write(events.block_beginning(index, part))
            for piece in events.endless(answer) if "endless" in self._faults else part.pieces():
                await self._interrupt(total)
                due += self._pace
                await self._wait(due)
                await self._write(self._spoiled(events.delta(index, part, piece), total))
                self._sent += 1
            await self._write(events.block_end(index))

    async def _interrupt(self, total: int) -> None:
        """Do what is due after so many pieces."""
        for name in self._faults:
            fault = self._faults[name]
            if name == "truncated" and self._sent >= total // 2:
                raise _Ended(b"")
            if self._sent != fault.number:
                continue
            if name == "stall_after":
                await silence()
            elif name == "drop_after":
                raise Cut
            elif name == "error_after":
                raise _Ended(events.event("error", ApiError(529).body(self._request_id)))

    def _spoiled(self, event: bytes, total: int) -> bytes:
        if self._sent == min(1, total - 1):
            if "malformed" in self._faults:
                return event.replace(b'{"type":', b"{type=", 1)
            if "utf8" in self._faults:
                before, mark, text = event.rpartition(b'":"')
                return before + mark + b"\xff\xfe" + text
        return event

    async def _start(self, status: int, kind: bytes, length: int | None = None) -> None:
        headers = [(b"content-type", kind), *self._headers]
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _write(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def _wait(self, due: float | None = None) -> None:
        """Wait for the next piece's time; others have their turn in any case."""
        left = self._pace if due is None else due - asyncio.get_running_loop().time()
        await asyncio.sleep(max(left, 0))
