"""Calls as the Messages API has them, and its messages as completions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from service.llm.attempt import AttemptFailed
from service.llm.model import Completion, ToolUse, Usage
from service.llm.named import finish_reason, identifier, model_name
from service.llm.tokens import longest_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.llm.model import Call, Message

_INPUT = {
    "input_tokens": "input_tokens",
    "cache_read_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
}
# No model's window is a hundredth of it.
_MOST_TOKENS = 1_000_000_000


def as_request(call: Call, model: str, *, caching: bool) -> dict[str, Any]:
    """Give a call as the arguments of `messages.create`.

    Tools and the prompt's text come first and end in the only cache breakpoint; what varies stands behind it.

    Args:
        call: what is asked.
        model: of whom.
        caching: whether there is a breakpoint.
    """
    prefix: dict[str, Any] = {"type": "text", "text": call.prompt.text}
    if caching:
        prefix["cache_control"] = {"type": "ephemeral"}
    request: dict[str, Any] = {
        "model": model,
        "max_tokens": call.max_tokens,
        "system": [prefix],
        "messages": [{"role": each.role, "content": _content(each)} for each in call.messages],
        "metadata": {"user_id": call.user},
    }
    if call.tools:
        request["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": dict(tool.schema)}
            for tool in call.tools
        ]
    return request


def _content(message: Message) -> list[dict[str, Any]]:
    results = [
        {"type": "tool_result", "tool_use_id": each.id, "content": each.content, "is_error": each.failed}
        for each in message.tool_results
    ]
    text = [{"type": "text", "text": message.text}] if message.text else []
    uses = [
        {"type": "tool_use", "id": each.id, "name": each.name, "input": dict(each.arguments)}
        for each in message.tool_uses
    ]
    return [*results, *text, *uses]


def as_completion(message: Any, provider: str, max_tokens: int) -> Completion:  # noqa: ANN401 - a 200 may hold anything
    """Give a message as a completion.

    Args:
        message: what the SDK made of the answer, whatever that was.
        provider: whose.
        max_tokens: that were asked for.

    Raises:
        AttemptFailed: it is no message.
    """
    if message.type != "message" or not isinstance(message.stop_reason, str):
        raise AttemptFailed("malformed")
    text = "".join(block.text for block in message.content if block.type == "text")
    if len(text) > longest_answer(max_tokens):
        raise AttemptFailed("endless")
    uses = [as_tool_use(block.id, block.name, block.input) for block in message.content if block.type == "tool_use"]
    return Completion(
        text=text,
        finish_reason=finish_reason(message.stop_reason),
        usage=as_usage(message.usage),
        provider=provider,
        model=model_name(message.model),
        id=identifier(message.id),
        tool_uses=tuple(uses),
    )


def as_tool_use(identifier: object, name: object, arguments: object) -> ToolUse:
    """Give what the model asks for.

    Raises:
        AttemptFailed: it is not of the right kind.
    """
    if not (isinstance(identifier, str) and isinstance(name, str) and isinstance(arguments, dict)):
        raise AttemptFailed("malformed")
    return ToolUse(identifier, name, arguments)


def as_usage(usage: Any) -> Usage:  # noqa: ANN401 - a 200 may hold anything
    """Give the tokens of a message; what the provider leaves out is none.

    Raises:
        AttemptFailed: one of them is no number of tokens.
    """
    return Usage(
        input_tokens=as_tokens(usage.input_tokens),
        cache_read_tokens=as_tokens(usage.cache_read_input_tokens or 0),
        cache_write_tokens=as_tokens(usage.cache_creation_input_tokens or 0),
        output_tokens=as_tokens(usage.output_tokens),
    )


def at_the_end(usage: Usage, said: Mapping[str, Any]) -> Usage:
    """Give the tokens of a streamed message as its end has them: cumulative, where it names them.

    Source: https://platform.claude.com/docs/en/build-with-claude/streaming, `message_delta`.

    Args:
        usage: as its start had them.
        said: by the end.

    Raises:
        AttemptFailed: one of them is no number of tokens.
    """
    named = {field: as_tokens(said[name]) for field, name in _INPUT.items() if said.get(name) is not None}
    return replace(usage, output_tokens=as_tokens(said["output_tokens"]), **named)


def as_tokens(count: object) -> int:
    """Give a number of tokens.

    Raises:
        AttemptFailed: it is none.
    """
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= _MOST_TOKENS:
        raise AttemptFailed("malformed")
    return count
