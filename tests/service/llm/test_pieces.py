"""Streams of the Messages API over a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from service.llm.anthropic import AnthropicProvider
from service.llm.anthropic import pieces as module
from service.llm.attempt import AttemptFailed
from service.llm.model import Completion, Usage
from tests.patience import PATIENCE
from tests.service.llm.scripted import CALL

_MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "m-1", "content": [], "stop_reason": None,
    "usage": {"input_tokens": 3, "cache_read_input_tokens": 2, "cache_creation_input_tokens": None, "output_tokens": 1},
}  # fmt: skip
START = {"type": "message_start", "message": _MESSAGE}
BLOCK = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}
STOP = {"type": "message_stop"}


def text(piece: object) -> dict[str, object]:
    """A piece of text."""
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}


class Wire:
    """A provider on a port of its own, that says the same to everybody.

    Args:
        events: what it says.
    """

    def __init__(self, events: tuple[object, ...]) -> None:
        self._events = events
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                )
                for event in self._events:
                    kind = event.get("type", "none") if isinstance(event, dict) else "none"
                    sent = f"event: {kind}\ndata: {json.dumps(event)}\n\n".encode()
                    writer.write(b"%x\r\n%s\r\n" % (len(sent), sent))
                    await writer.drain()
                await asyncio.sleep(0)  # the end comes by itself, as it may
                writer.write(b"0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def saying(*events: object) -> AsyncIterator[tuple[AnthropicProvider, Wire]]:
    """A provider that says so, and its client."""
    wire = Wire(events)
    async with await asyncio.start_server(wire.serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = AnthropicProvider("wire", url, "m", api_key="k", connect_seconds=PATIENCE, caching=True)
        try:
            yield client, wire
        finally:
            await client.close()


async def read(client: AnthropicProvider) -> list[str | Completion]:
    """All that a stream gives; it is closed at its end."""
    pieces = await client.stream(CALL)
    try:
        return [item async for item in pieces]
    finally:
        await pieces.close()


async def test_stream():
    """Pieces come as they are, empty ones not at all, and the completion is made of them."""
    async with saying(START, BLOCK, {"type": "ping"}, text("Good"), text(""), text(" day\n\n"), END, STOP) as (
        client,
        _,
    ):
        *pieces, completion = await read(client)
    assert pieces == ["Good", " day\n\n"]
    assert completion == Completion("Good day\n\n", "end_turn", Usage(3, 2, 0, 2), "wire", "m-1", "msg_1")


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        ({"output_tokens": 2}, Usage(3, 2, 0, 2)),
        ({"output_tokens": 2, "input_tokens": 900, "cache_read_input_tokens": None}, Usage(900, 2, 0, 2)),
        (
            {"output_tokens": 2, "input_tokens": 0, "cache_read_input_tokens": 40, "cache_creation_input_tokens": 50},
            Usage(0, 40, 50, 2),
        ),
    ],
)
async def test_the_last_numbers_count(said: dict[str, object], usage: Usage):
    """The counts at the end are cumulative; what they leave out was said at the start."""
    async with saying(START, BLOCK, text("Hi"), END | {"usage": said}, STOP) as (client, _):
        pieces = await client.stream(CALL)
        completion = [item async for item in pieces][-1]
        await pieces.close()
    assert (completion.usage, pieces.usage) == (usage, usage)


async def test_connection_is_kept(monkeypatch):
    """A stream that was read to its end leaves its connection to the next one: with TLS a new one costs round trips."""
    monkeypatch.setattr(module, "_END_SECONDS", PATIENCE)
    async with saying(START, BLOCK, text("Hi"), END, STOP) as (client, wire):
        for _ in range(3):
            await read(client)
        assert wire.connections == 1


async def test_connection_is_closed():
    """A stream that was left before its end takes its connection with it."""
    async with saying(START, BLOCK, text("Hi"), text(" there"), END, STOP) as (client, wire):
        for _ in range(2):
            pieces = await client.stream(CALL)
            assert await anext(aiter(pieces)) == "Hi"
            await pieces.close()
        assert wire.connections == 2


@pytest.mark.parametrize(
    "event",
    [
        7, [], {"type": "content_block_delta"}, {"no": "type"}, text(7), text(["Hi"]), text(None),
        {"type": "content_block_delta", "index": 4, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_delta", "index": "0", "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "message_start", "message": 7}, {"type": "message_start", "message": {"usage": {}}},
        {"type": "message_delta", "delta": None, "usage": {"output_tokens": 2}},
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": -2}},
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 2, "input_tokens": "900"}},
        {"type": "error", "error": 7}, STOP,
    ],
)  # fmt: skip
async def test_malformed(event: object):
    """Whatever is none of the shapes that were promised is malformed, and what it cost is known."""
    async with saying(START, BLOCK, text("Hi"), event) as (client, _):
        pieces = await client.stream(CALL)
        with pytest.raises(AttemptFailed) as failed:
            [item async for item in pieces]
        await pieces.close()
    assert failed.value.reason == "malformed"
    assert failed.value.usage.total >= 5 or event == {"type": "message_start", "message": {"usage": {}}}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("overloaded_error", "overloaded"), ("rate_limit_error", "rate_limited"), ("else", "server_error")],
)
async def test_error_in_stream(kind: str, reason: str):
    """An error in a stream has the reason that its status would have had."""
    async with saying(START, BLOCK, text("Hi"), {"type": "error", "error": {"type": kind}}) as (client, _):
        with pytest.raises(AttemptFailed) as failed:
            await read(client)
    assert failed.value.reason == reason
