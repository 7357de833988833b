"""What the API accepts, and how it says what it does not; the sentences are those of the real one."""

from typing import Any

import orjson

from service.llm.simulated import models
from service.llm.simulated.errors import ApiError
from service.llm.simulated.request import Block, Request
from service.llm.simulated.tokens import tokens

# The newer one has no sampling parameters, and the official client sends it from its version 2 on.
VERSIONS = ("2023-06-01", "2026-10-21")
_REMOVED = ("temperature", "top_p", "top_k")
_MAX_BREAKPOINTS = 4
_CHOICES = ("auto", "any", "tool", "none")


def validate(body: bytes, version: str) -> Request:
    """Read a request.

    Args:
        body: of the HTTP request.
        version: what `anthropic-version` said, one of `VERSIONS`.

    Raises:
        ApiError: it is not valid (400), or there is no such model (404).
    """
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ApiError(400, "The request body is not valid JSON.") from error
    _require(isinstance(given, dict), "The request body must be a JSON object.")
    for name in _REMOVED:
        _require(version != VERSIONS[-1] or name not in given, f"{name}: Extra inputs are not permitted")
    for name in ("model", "messages", "max_tokens"):
        _require(name in given, f"{name}: Field required")
    name, max_tokens, stream = given["model"], given["max_tokens"], given.get("stream", False)
    _require(isinstance(name, str), "model: Input should be a valid string")
    model = models.find(name)
    if model is None:
        raise ApiError(404, f"model: {name}")
    _require(type(max_tokens) is int, "max_tokens: Input should be a valid integer")
    _require(max_tokens >= 0, "max_tokens: Input should be greater than or equal to 0")
    _require(isinstance(stream, bool), "stream: Input should be a valid boolean")
    # Nothing is generated that could be streamed: it only fills the cache.
    _require(max_tokens > 0 or not stream, "stream: not supported with max_tokens 0")
    stops = given.get("stop_sequences") or []
    _require(_strings(stops), "stop_sequences: Input should be a valid list of non-empty strings")

    tools = given.get("tools") or []
    _require(isinstance(tools, list), "tools: Input should be a valid list")
    for index, tool in enumerate(tools):
        _require(
            isinstance(tool, dict) and isinstance(tool.get("name"), str) and isinstance(tool.get("input_schema"), dict),
            f"tools.{index}: name and input_schema are required",
        )
    tool, may_use_tools = _choice(given.get("tool_choice"), tools)
    system = _content(given.get("system") or [], "system", empty=True)
    messages = _messages(given["messages"])
    blocks = [_block("tools", tool, "tools") for tool in tools]
    blocks += [_block("system", block, "system") for block in system]
    blocks += [_block(each["role"], block, "messages") for each in messages for block in each["content"]]
    request = Request(
        name=name,
        model=model,
        max_tokens=max_tokens,
        stream=stream,
        stop_sequences=stops,
        tools=tools,
        tool=tool,
        may_use_tools=may_use_tools,
        schema=_schema(given.get("output_config")),
        system="\n".join(block.get("text", "") for block in system),
        messages=messages,
        prefill=_prefill(messages, model),
        blocks=_breakpoints(blocks, given.get("cache_control")),
    )
    length = tokens(request.size)
    _require(length <= models.WINDOW, f"prompt is too long: {length} tokens > {models.WINDOW} maximum")
    return request


def _require(fact: bool, message: str) -> None:
    if not fact:
        raise ApiError(400, message)


def _strings(value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


def _content(content: Any, path: str, *, empty: bool = False) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    _require(isinstance(content, list), f"{path}: Input should be a valid list")
    _require(empty or bool(content), f"{path}: content must not be empty")
    for index, block in enumerate(content):
        _require(isinstance(block, dict) and isinstance(block.get("type"), str), f"{path}.{index}.type: Field required")
        if block["type"] == "text":
            _require(isinstance(block.get("text"), str), f"{path}.{index}.text: Field required")
            _require(bool(block["text"].strip()), f"{path}: text content blocks must be non-empty")
    blocks: list[dict[str, Any]] = content
    return blocks


def _messages(given: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    _require(isinstance(given, list), "messages: Input should be a valid list")
    _require(bool(given), "messages: at least one message is required")
    messages = []
    for index, message in enumerate(given):
        path = f"messages.{index}"
        _require(isinstance(message, dict) and "role" in message, f"{path}.role: Field required")
        role = message["role"]
        _require(role in ("user", "assistant"), f"{path}.role: Input should be 'user' or 'assistant'")
        _require("content" in message, f"{path}.content: Field required")
        messages.append({"role": role, "content": _content(message["content"], f"{path}.content")})
    _require(messages[0]["role"] == "user", "messages: first message must use the user role")
    return messages


def _choice(given: Any, tools: list[dict[str, Any]]) -> tuple[str | None, bool]:  # noqa: ANN401 - JSON
    choice = given or {"type": "auto"}
    _require(
        isinstance(choice, dict) and choice.get("type") in _CHOICES,
        "tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'",
    )
    kind = choice["type"]
    _require(bool(tools) or kind in ("auto", "none"), "tool_choice: may only be specified while providing tools")
    if kind == "tool":
        name = choice.get("name")
        _require(any(tool["name"] == name for tool in tools), "tool_choice.name: tool not found in provided tools")
        return str(name), True
    return "" if kind == "any" else None, kind != "none" and bool(tools)


def _schema(config: Any) -> dict[str, Any] | None:  # noqa: ANN401 - JSON
    form = config.get("format") if isinstance(config, dict) else None
    if form is None:
        return None
    _require(
        isinstance(form, dict) and form.get("type") == "json_schema" and isinstance(form.get("schema"), dict),
        "output_config.format: Input should be a json_schema",
    )
    schema: dict[str, Any] = form["schema"]
    return schema


def _prefill(messages: list[dict[str, Any]], model: models.Model) -> str:
    if messages[-1]["role"] == "user":
        return ""
    _require(
        model.prefill,
        "This model does not support assistant message prefill. The conversation must end with a user message.",
    )
    text = str(messages[-1]["content"][-1].get("text", ""))
    _require(text == text.rstrip(), "messages: final assistant content cannot end with trailing whitespace")
    return text


def _block(place: str, given: dict[str, Any], path: str) -> Block:
    control = given.get("cache_control")
    ttl = None
    if control is not None:
        _require(
            isinstance(control, dict)
            and control.get("type") == "ephemeral"
            and control.get("ttl", "5m") in ("5m", "1h"),
            f"{path}: cache_control should be of type 'ephemeral', with a ttl of '5m' or '1h'",
        )
        ttl = control.get("ttl", "5m")
    content = orjson.dumps({key: value for key, value in given.items() if key != "cache_control"})
    size = len(given["text"].encode()) if given.get("type") == "text" and "text" in given else len(content)
    return Block(place, content, size, ttl)


def _breakpoints(blocks: list[Block], automatic: Any) -> tuple[Block, ...]:  # noqa: ANN401 - JSON
    if automatic is not None:
        last = _block("", {"cache_control": automatic}, "cache_control")
        blocks = [*blocks[:-1], Block(blocks[-1].place, blocks[-1].content, blocks[-1].size, last.ttl)]
    ttls = [block.ttl for block in blocks if block.ttl]
    _require(
        len(ttls) <= _MAX_BREAKPOINTS,
        f"A maximum of {_MAX_BREAKPOINTS} blocks with cache_control may be provided. Found {len(ttls)}.",
    )
    _require(
        "1h" not in ttls[ttls.index("5m") :] if "5m" in ttls else True,
        "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block",
    )
    return tuple(blocks)
