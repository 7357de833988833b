"""An answer that comes event by event."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from anthropic import AsyncStream
from anthropic.types import Usage as UsageModel

from service.llm.anthropic.failures import reason_of, told
from service.llm.anthropic.messages import as_tool_use, as_usage, at_the_end
from service.llm.attempt import AttemptFailed
from service.llm.model import Completion, Usage
from service.llm.named import finish_reason, identifier, model_name
from service.llm.tokens import BYTES_PER_TOKEN, longest_answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from service.llm.model import ToolUse

# For the end of the body behind the last event, which has usually come with it.
_END_SECONDS = 0.05


class Pieces:
    """An answer that comes event by event.

    Events are read as the API writes them: the SDK's models of them would cost more than all else that we do for a
    token (benchmarks/LLM.md).

    Args:
        stream: the SDK's, not read.
        provider: whose.
        max_tokens: that were asked for.
    """

    def __init__(self, stream: AsyncStream[Any], provider: str, max_tokens: int) -> None:
        self._stream, self._provider = stream, provider
        self._events = AsyncStream.raw_events(stream.response)
        self._most = longest_answer(max_tokens)
        self._characters = 0
        self._message: dict[str, Any] = {}
        self._blocks: list[_Block] = []
        self._finish_reason: str | None = None
        self._usage = Usage()
        self._final = self._complete = False
        self._iterator = self._read()

    @property
    def usage(self) -> Usage:
        """What it has taken so far, the output estimated until the provider says."""
        if self._final:
            return self._usage
        seen = -(-self._characters // BYTES_PER_TOKEN)
        return replace(self._usage, output_tokens=max(self._usage.output_tokens, seen))

    def __aiter__(self) -> AsyncIterator[str | Completion]:
        """Give the pieces, none of them empty, and the completion last.

        Raises:
            AttemptFailed: it broke off.
        """
        return self._iterator

    async def _read(self) -> AsyncIterator[str | Completion]:
        with told(self):
            async for sent in self._events:
                if not sent.data:
                    continue
                event = json.loads(sent.data)
                kind = event["type"]
                # In the order of how often they come: this is done for every token.
                if kind == "content_block_delta":
                    if piece := self._take(event):
                        yield piece
                elif kind == "message_stop":
                    self._complete = True
                    yield self._completion()
                    return
                else:
                    self._note(kind, event)
            raise AttemptFailed("dropped")

    def _take(self, event: dict[str, Any]) -> str:
        piece, shown = self._blocks[event["index"]].add(event["delta"])
        self._characters += len(piece)
        if self._characters > self._most:
            raise AttemptFailed("endless")
        return piece if shown else ""

    def _note(self, kind: str, event: dict[str, Any]) -> None:
        if kind == "message_start":
            self._message = event["message"]
            self._usage = as_usage(UsageModel.construct(**self._message["usage"]))
        elif kind == "content_block_start":
            self._blocks.append(_Block(event["content_block"]))
        elif kind == "message_delta":
            self._finish_reason = event["delta"].get("stop_reason") or self._finish_reason
            self._usage = at_the_end(self._usage, event["usage"])
            self._final = True
        elif kind == "error":
            raise AttemptFailed(reason_of(event["error"]["type"]))

    def _completion(self) -> Completion:
        if not isinstance(self._finish_reason, str):
            raise AttemptFailed("malformed")
        return Completion(
            text="".join(block.text for block in self._blocks),
            finish_reason=finish_reason(self._finish_reason),
            usage=self._usage,
            provider=self._provider,
            model=model_name(self._message["model"]),
            id=identifier(self._message["id"]),
            tool_uses=tuple(block.tool_use() for block in self._blocks if block.is_tool_use),
        )

    async def close(self) -> None:
        """End it at once, read or not; the connection of a complete one is left to the next call."""
        if self._complete:
            with suppress(Exception):
                async with asyncio.timeout(_END_SECONDS):
                    async for _ in self._events:
                        pass
        await self._stream.close()


class _Block:
    """A content block as it grows.

    Args:
        begun: as it was announced.
    """

    def __init__(self, begun: dict[str, Any]) -> None:
        self._begun = begun
        self._parts: list[str] = []
        self.is_tool_use = begun["type"] == "tool_use"

    def add(self, delta: dict[str, Any]) -> tuple[str, bool]:
        """Take a delta in; give it, and whether it is text.

        Raises:
            AttemptFailed: it is of the wrong kind.
        """
        kind = delta["type"]
        if kind == "text_delta":
            part = delta["text"]
        elif kind == "input_json_delta":
            part = delta["partial_json"]
        else:
            return "", False
        if not isinstance(part, str):
            raise AttemptFailed("malformed")
        self._parts.append(part)
        return part, kind == "text_delta"

    @property
    def text(self) -> str:
        """The text; a tool's arguments are none."""
        return "" if self.is_tool_use else "".join(self._parts)

    def tool_use(self) -> ToolUse:
        """What is asked for, once its arguments are complete."""
        begun = self._begun
        return as_tool_use(begun["id"], begun["name"], json.loads("".join(self._parts) or "{}"))
