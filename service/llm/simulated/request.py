"""A request as the API understands it, once it is valid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from service.llm.simulated.models import Model

Json = Mapping[str, Any]
Ttl = Literal["5m", "1h"]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the prompt: a tool, a block of the system prompt or of a message.

    Attributes:
        place: `tools`, `system`, `user` or `assistant`.
        content: what the cache compares; JSON without its `cache_control`.
        size: bytes that are counted as tokens.
        ttl: of the cache breakpoint behind it; None: there is none.
    """

    place: str
    content: bytes
    size: int
    ttl: Ttl | None


@dataclass(frozen=True, slots=True)
class Request:
    """A valid request.

    Attributes:
        name: the model's, as it was asked for.
        model: it.
        max_tokens: output tokens at most; 0 only fills the prompt cache.
        stream: whether the answer comes event by event.
        stop_sequences: what ends the answer.
        tools: what the model may ask for.
        tool: the one that it must ask for, "" for any, None where it need not.
        may_use_tools: whether it may.
        schema: what the answer must be by; None: text.
        system: the system prompt.
        messages: with their content as lists of blocks.
        prefill: the beginning of the answer.
        blocks: all of the prompt, in the order of the cache: tools, system, messages.
    """

    name: str
    model: Model
    max_tokens: int
    stream: bool
    stop_sequences: Sequence[str]
    tools: Sequence[Json]
    tool: str | None
    may_use_tools: bool
    schema: Json | None
    system: str
    messages: Sequence[Json]
    prefill: str
    blocks: Sequence[Block]

    @property
    def size(self) -> int:
        """The prompt's bytes."""
        return sum(block.size for block in self.blocks)

    @property
    def answers_tool(self) -> bool:
        """Whether the last message holds a tool's result."""
        return any(block["type"] == "tool_result" for block in self.messages[-1]["content"])

    def digest(self, seed: int) -> bytes:
        """Give what the answer is made from: all that a model would see, and the seed."""
        seen = blake2b(f"{seed}\0{self.name}\0{self.tool}\0{self.may_use_tools}".encode(), digest_size=16)
        for block in self.blocks:
            seen.update(f"\0{block.place}\0{len(block.content)}\0".encode() + block.content)
        return seen.digest()

    def said(self) -> str:
        """Give what the user's side has said last: text, and what tools gave."""
        return " ".join(_texts(self.messages[-1]["content"]))

    def heard(self) -> str:
        """Give all that was said so far."""
        return " ".join(text for message in self.messages for text in _texts(message["content"]))


def _texts(content: Any) -> list[str]:  # noqa: ANN401 - JSON
    if isinstance(content, str):
        return [content]
    if not isinstance(content, list):
        return []
    return [
        text
        for block in content
        if isinstance(block, dict)
        for text in _texts(block.get("text") if block.get("type") == "text" else block.get("content"))
    ]
