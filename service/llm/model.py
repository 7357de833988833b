"""What is asked of a model, and what comes back: plain data that no provider's library appears in."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Prompt:
    """A versioned instruction: the stable beginning of every call that uses it.

    Attributes:
        name: what it is for, such as `cover_letter`.
        version: the file's.
        text: the same for every caller; nothing of a user is ever in it.
        digest: SHA-256 of the file's text, hexadecimal; a canary before it does not count.
    """

    name: str
    version: str
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that the model may ask for.

    Attributes:
        name: `[a-z_]+`.
        description: for the model.
        schema: JSON Schema of its arguments.
    """

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolUse:
    """What the model asks for.

    Attributes:
        id: the provider's, to answer it by.
        name: a tool's, as the model wrote it.
        arguments: as the model wrote them, not validated.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The answer to a `ToolUse`.

    Attributes:
        id: of what was asked for.
        content: text.
        failed: whether it could not be done; the text says why.
    """

    id: str
    content: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One turn.

    Attributes:
        role: whose.
        text: what is said; "" where there are only tools.
        tool_uses: what the assistant asked for.
        tool_results: what it was answered.
    """

    role: Literal["user", "assistant"]
    text: str = ""
    tool_uses: tuple[ToolUse, ...] = ()
    tool_results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        prompt: the system prompt, ending in the cache breakpoint; with the tools all that is cached.
        messages: what varies, the first of them the user's.
        max_tokens: output tokens at most.
        user: the caller's pseudonym, for the provider's abuse detection; never an id or an address.
        tools: what the model may ask for.
    """

    prompt: Prompt
    messages: tuple[Message, ...]
    max_tokens: int
    user: str
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, each counted once.

    Attributes:
        input_tokens: read neither from the cache nor written to it.
        cache_read_tokens: read from the cache.
        cache_write_tokens: written to it.
        output_tokens: generated.
    """

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0

    @property
    def total(self) -> int:
        """All of them: what a budget is charged."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.output_tokens + other.output_tokens,
        )


REFUSAL = "refusal"
"""The finish reason of an answer that was declined."""
WHOLE = frozenset({"end_turn", "stop_sequence"})
"""The finish reasons of an answer that has said all."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A finished answer.

    Attributes:
        text: all of it.
        finish_reason: the provider's `stop_reason`: `end_turn`, `max_tokens`, `tool_use`, `stop_sequence`, `refusal`.
        usage: what it took.
        provider: who answered.
        model: the provider's name of what answered.
        id: the provider's id of the answer.
        tool_uses: what the model asks for.
    """

    text: str
    finish_reason: str
    usage: Usage
    provider: str
    model: str
    id: str
    tool_uses: tuple[ToolUse, ...] = field(default=())


class Stream(Protocol):
    """An answer as it comes."""

    def __aiter__(self) -> AsyncIterator[str | Completion]:
        """Give pieces of text as they come, none of them empty; the last item, and only that, is the completion."""


class Charge(Protocol):
    """Tokens that are set aside."""

    def used(self, tokens: int) -> None:
        """Say what has been used of them so far; the last word counts."""


class CallersCharge(Charge, Protocol):
    """Tokens of a caller's limit."""

    async def afford(self, tokens: int) -> None:
        """See that so many are set aside in all.

        Raises:
            Overspent: the caller's limit does not allow it.
        """


class Answering(Protocol):
    """Whoever answers calls as a whole. All errors are `service.llm.errors.LlmError`."""

    async def complete(self, call: Call) -> Completion:
        """Answer a call."""


class LanguageModel(Protocol):
    """Whoever answers calls, also piece by piece. All errors are `service.llm.errors.LlmError`.

    The caller's `charge` is told what the call has taken so far, all attempts together; nobody asked, nothing told.
    """

    async def complete(
        self, call: Call, charge: CallersCharge, shown: Callable[[Completion], Completion]
    ) -> Completion:
        """Answer a call with what `shown` makes of the answer."""

    def stream(self, call: Call, charge: CallersCharge) -> AbstractAsyncContextManager[Stream]:
        """Answer a call piece by piece; leaving the context ends the provider's side at once."""
