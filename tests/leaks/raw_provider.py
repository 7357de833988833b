"""A provider that says whatever a test wants, in every field that an answer has: no more than bytes on a socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

Json = dict[str, Any]
USAGE = {"input_tokens": 5, "output_tokens": 5}


def message(**given: Any) -> Json:
    """A message as the API has them, but for what is given."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [{"type": "text", "text": "All is well."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": USAGE,
        **given,
    }


def whole(body: Json, status: int = 200, reason: str = "OK", **headers: str) -> bytes:
    """An answer in JSON."""
    return _answer(json.dumps(body).encode(), status, reason, {"content-type": "application/json", **headers})


def events(*data: Json | bytes, **headers: str) -> bytes:
    """An answer event by event; what is bytes is sent as it is."""
    frames = [
        each if isinstance(each, bytes) else f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode()
        for each in data
    ]
    return _answer(b"".join(frames), 200, "OK", {"content-type": "text/event-stream", **headers})


def spoken(said: Json) -> list[Json]:
    """The events of a message."""
    start = {**said, "content": [], "stop_reason": None}
    blocks = [
        event
        for index, block in enumerate(said["content"])
        for event in (
            {"type": "content_block_start", "index": index, "content_block": {**block, "text": "", "input": {}}},
            {"type": "content_block_delta", "index": index, "delta": _delta(block)},
            {"type": "content_block_stop", "index": index},
        )
    ]
    end = {"stop_reason": said["stop_reason"], "stop_sequence": said["stop_sequence"]}
    return [
        {"type": "message_start", "message": start},
        *blocks,
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]


def _delta(block: Json) -> Json:
    if block["type"] == "tool_use":
        return {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    return {"type": "text_delta", "text": block["text"]}


def _answer(body: bytes, status: int, reason: str, headers: dict[str, str]) -> bytes:
    told = {"content-length": str(len(body)), "connection": "close", **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status} {reason}\r\n{head}\r\n".encode() + body


class RawProvider:
    """One that listens.

    Attributes:
        url: where.
        answer: gives the bytes of the answer to a request's body.
        asked: how often it was asked.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.answer: Callable[[Json], bytes] = said_by(message())
        self.asked = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and close."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self.asked += 1
            writer.write(self.answer(json.loads(await reader.readexactly(length))))
            await writer.drain()
        finally:
            writer.close()


def said_by(said: Json) -> Callable[[Json], bytes]:
    """Give a message in the form that is asked for."""
    return lambda request: events(*spoken(said)) if request.get("stream") else whole(said)


@asynccontextmanager
async def raw_provider() -> AsyncIterator[RawProvider]:
    """Listen."""
    provider: RawProvider | None = None

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert provider is not None
        await provider.serve(reader, writer)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        provider = RawProvider(server.sockets[0].getsockname()[1])
        yield provider
