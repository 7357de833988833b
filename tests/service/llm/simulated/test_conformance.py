"""The official client is what proves the provider: it is told nothing but a base URL."""

import json

import anthropic
import pytest
from anthropic import AsyncAnthropic

from tests.service.llm.simulated.asking import ASKED, LONG, MODEL, TOOL, cached, fault, streamed
from tests.service.llm.simulated.process import Provider, provider


async def test_answer(client: AsyncAnthropic):
    """A message has text, a reason to stop, and tokens by the documented estimate."""
    message = await client.messages.create(**ASKED)
    assert (message.type, message.role, message.model, message.stop_reason) == (
        "message",
        "assistant",
        MODEL,
        "end_turn",
    )
    text = message.content[0].text
    assert message.usage.output_tokens == -(-len(text.encode()) // 4)
    assert message.usage.input_tokens == 7
    assert message.id.startswith("msg_")


async def test_stream(client: AsyncAnthropic):
    """The streamed pieces are the whole message, which is the one that is not streamed."""
    pieces, message = await streamed(client)
    whole = await client.messages.create(**ASKED)
    assert len(pieces) > 20
    assert "".join(pieces) == message.content[0].text == whole.content[0].text
    assert (message.stop_reason, message.usage) == (whole.stop_reason, whole.usage)


async def test_events(client: AsyncAnthropic):
    """The events come in the documented order."""
    async with await client.messages.create(**ASKED, stream=True) as stream:
        kinds = [event.type async for event in stream]
    deltas = kinds.count("content_block_delta")
    assert kinds == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * deltas,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


async def test_seed(client: AsyncAnthropic, simulated: Provider):
    """The same request is answered alike by another process with the same seed, and otherwise by another seed."""
    text = (await client.messages.create(**ASKED)).content[0].text
    for options, alike in ((["--seed", "0"], True), (["--seed", "1"], False)):
        with provider(*options) as other:
            answered = await client.with_options(base_url=other.url).messages.create(**ASKED)
        assert (answered.content[0].text == text) is alike


async def test_max_tokens(client: AsyncAnthropic):
    """An answer ends where max_tokens ends it."""
    pieces, message = await streamed(client, max_tokens=10)
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 10)
    assert len("".join(pieces).encode()) == 40


async def test_warm_up(client: AsyncAnthropic):
    """With max_tokens 0 nothing is generated, and the prompt is cached."""
    message = await client.messages.create(**{**ASKED, "max_tokens": 0}, system=cached(LONG))
    assert (message.content, message.stop_reason, message.usage.output_tokens) == ([], "max_tokens", 0)
    assert message.usage.cache_creation_input_tokens == 5000


async def test_stop_sequences(client: AsyncAnthropic):
    """An answer ends before a stop sequence, which is named."""
    whole = (await client.messages.create(**ASKED)).content[0].text
    word = whole.split()[5]
    message = await client.messages.create(**ASKED, stop_sequences=["no such thing", word])
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", word)
    assert message.content[0].text == whole[: whole.index(word)]


async def test_prefill(client: AsyncAnthropic):
    """An answer goes on from its prefilled beginning."""
    message = await client.messages.create(
        **{**ASKED, "messages": [*ASKED["messages"], {"role": "assistant", "content": "{"}]},
        system='Answer with JSON such as {"score": 1, "why": "because"}.',
    )
    assert set(json.loads("{" + message.content[0].text)) == {"score", "why"}


async def test_json(client: AsyncAnthropic):
    """A system prompt that shows JSON is answered with JSON like it, an output format with what it allows."""
    shown = await client.messages.create(**ASKED, system='Answer with JSON only: {"steps": ["a"], "done": false}')
    answer = json.loads(shown.content[0].text)
    assert (type(answer["steps"][0]), type(answer["done"])) == (str, bool)
    schema = {"type": "object", "properties": {"score": {"type": "integer", "minimum": 4, "maximum": 4}}}
    given = await client.messages.create(**ASKED, output_config={"format": {"type": "json_schema", "schema": schema}})
    assert json.loads(given.content[0].text) == {"score": 4}


@pytest.mark.parametrize("streaming", [False, True])
async def test_tools(client: AsyncAnthropic, streaming: bool):
    """A tool is asked for with arguments that its schema allows, and its result is answered with text."""
    messages = list(ASKED["messages"])
    if streaming:
        _, message = await streamed(client, tools=[TOOL])
    else:
        message = await client.messages.create(**ASKED, tools=[TOOL])
    use = message.content[-1]
    assert (message.stop_reason, use.type, use.name) == ("tool_use", "tool_use", "search_jobs")
    given = use.input
    assert set(given) == set(TOOL["input_schema"]["required"])
    assert 2 <= len(given["query"]) <= 40
    assert 3 <= given["limit"] <= 7
    assert given["level"] in ("junior", "senior")
    assert len(given["tags"]) == 2
    assert isinstance(given["remote"], bool)
    messages += [
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in message.content]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "job_0123456789"}]},
    ]
    answer = await client.messages.create(**{**ASKED, "messages": messages}, tools=[TOOL])
    assert (answer.stop_reason, [block.type for block in answer.content]) == ("end_turn", ["text"])
    forced = await client.messages.create(
        **{**ASKED, "messages": messages}, tools=[TOOL], tool_choice={"type": "tool", "name": "search_jobs"}
    )
    assert [block.type for block in forced.content] == ["tool_use"]
    none = await client.messages.create(**ASKED, tools=[TOOL], tool_choice={"type": "none"})
    assert none.stop_reason == "end_turn"


async def test_ids(client: AsyncAnthropic):
    """What is named like an id is one that was seen in the conversation."""
    tool = {
        "name": "rank",
        "input_schema": {
            "type": "object",
            "properties": {"job_ids": {"type": "array", "items": {"type": "string"}}, "best_id": {"type": "string"}},
        },
    }
    asked = {**ASKED, "messages": [{"role": "user", "content": "Rank job_00112233aabb and job_99887766ffee."}]}
    use = (await client.messages.create(**asked, tools=[tool])).content[-1]
    assert use.input["job_ids"] == ["job_00112233aabb", "job_99887766ffee"]
    assert use.input["best_id"] in use.input["job_ids"]


async def test_cache(client: AsyncAnthropic):
    """A prefix is written once and read from then on, each token counted once; another key has a cache of its own."""
    usages = [(await client.messages.create(**ASKED, system=cached(LONG))).usage for _ in range(2)]
    usages.append((await streamed(client, system=cached(LONG)))[1].usage)
    counted = [(u.input_tokens, u.cache_creation_input_tokens, u.cache_read_input_tokens) for u in usages]
    assert counted == [(7, 5000, 0), (7, 0, 5000), (7, 0, 5000)]
    assert usages[0].cache_creation.ephemeral_5m_input_tokens == 5000
    other = await client.with_options(api_key="another").messages.create(**ASKED, system=cached(LONG))
    assert other.usage.cache_creation_input_tokens == 5000


async def test_cache_hour(client: AsyncAnthropic):
    """A breakpoint with a TTL of an hour is counted apart."""
    usage = (await client.messages.create(**ASKED, system=cached(LONG, ttl="1h"))).usage
    assert usage.cache_creation.ephemeral_1h_input_tokens == 5000
    assert usage.cache_creation.ephemeral_5m_input_tokens == 0


async def test_cache_expiry(client: AsyncAnthropic):
    """What has expired is written again."""
    with provider("--cache-ttl", "0.001", "--first-token-delay", "20") as short:
        expiring = client.with_options(base_url=short.url)
        usages = [(await expiring.messages.create(**ASKED, system=cached(LONG))).usage for _ in range(2)]
    assert [usage.cache_creation_input_tokens for usage in usages] == [5000, 5000]
    assert [usage.cache_read_input_tokens for usage in usages] == [0, 0]


@pytest.mark.parametrize(
    ("model", "minimum"),
    [
        ("claude-haiku-4-5", 4096),
        ("claude-opus-4-6", 4096),
        ("claude-sonnet-4-6", 1024),
        ("claude-opus-4-7", 2048),
        ("claude-opus-5", 512),
        ("anthropic/claude-haiku-4.5", 4096),
    ],
)
async def test_cache_minimum(client: AsyncAnthropic, model: str, minimum: int):
    """A prefix shorter than the model's minimum is not cached, and nobody is told."""
    for length, written in ((minimum - 1, 0), (minimum, minimum)):
        asked = {**ASKED, "model": model}
        usage = (await client.messages.create(**asked, system=cached("word" * length))).usage
        assert usage.cache_creation_input_tokens == written


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (403, anthropic.PermissionDeniedError, "permission_error"),
        (413, anthropic.ContentTooLargeError, "request_too_large"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (529, anthropic.OverloadedError, "overloaded_error"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_statuses(client: AsyncAnthropic, status: int, error: type[Exception], kind: str, stream: bool):
    """Each status is the client's own exception, with the body and the headers of the real one."""
    with pytest.raises(error) as raised:
        await client.messages.create(
            **ASKED, stream=stream, extra_headers=fault(str(status), **{"x-simulated-retry-after": "7"})
        )
    found = raised.value
    assert (found.status_code, found.type, found.body["type"]) == (status, kind, "error")
    assert found.request_id == found.body["request_id"] == found.response.headers["request-id"]
    assert found.response.headers.get("retry-after") == ("7" if status in (429, 529) else None)
    assert found.response.headers["anthropic-ratelimit-requests-remaining"] == ("0" if status == 429 else "3999")


async def test_too_long(client: AsyncAnthropic):
    """A prompt over the window is refused, with how long it is."""
    messages = [{"role": "user", "content": "x" * 800_001}]
    with pytest.raises(anthropic.BadRequestError) as raised:
        await client.messages.create(**{**ASKED, "messages": messages})
    assert raised.value.api_message == "prompt is too long: 200001 tokens > 200000 maximum"


async def test_unknown_model(client: AsyncAnthropic):
    """A model that does not exist is not found."""
    with pytest.raises(anthropic.NotFoundError):
        await client.messages.create(**{**ASKED, "model": "gpt-4"})


async def test_sampling_parameters(client: AsyncAnthropic):
    """The version that the client speaks has no temperature; the one before it has."""
    with pytest.raises(anthropic.BadRequestError, match="temperature: Extra inputs are not permitted"):
        await client.messages.create(**ASKED, extra_body={"temperature": 1.0})
    old = {"anthropic-version": "2023-06-01"}
    await client.messages.create(**ASKED, extra_body={"temperature": 1.0}, extra_headers=old)
