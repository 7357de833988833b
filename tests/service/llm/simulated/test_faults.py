"""Each way to fail, as the official client meets it."""

import base64
import time
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic

from service.llm.simulated.faults import Fault, UnknownFault, befall, parse
from tests.patience import PATIENCE
from tests.service.llm.simulated.asking import ASKED, TOOL, fault, streamed
from tests.service.llm.simulated.process import Provider, provider

# What is never answered must not be waited for; it cannot be answered in time either.
TIMEOUT = 0.5
BROKEN = (anthropic.APIError, ValueError, httpx2.HTTPError)


@pytest.mark.parametrize(
    "word",
    ["drop", "drop_after:3", "stall", "stall_after:3", "malformed", "utf8", "truncated", "error_after:3", "empty"],
)
async def test_broken_json(client: AsyncAnthropic, word: str):
    """A whole answer that breaks on its way is an error to the client, not half an answer."""
    with pytest.raises(BROKEN):
        await client.with_options(timeout=TIMEOUT).messages.create(**ASKED, extra_headers=fault(word))


@pytest.mark.parametrize(
    "word", ["drop", "drop_after:3", "stall", "stall_after:3", "malformed", "utf8", "error_after:3"]
)
async def test_broken_stream(client: AsyncAnthropic, word: str):
    """A stream that breaks on its way is an error to the client."""
    with pytest.raises(BROKEN):
        await streamed(client.with_options(timeout=TIMEOUT), extra_headers=fault(word))


@pytest.mark.parametrize("word", ["drop_after:3", "error_after:3"])
async def test_pieces_before(client: AsyncAnthropic, word: str):
    """What came before the break was delivered."""
    async with client.messages.stream(**ASKED, extra_headers=fault(word)) as stream:
        pieces = stream.text_stream
        assert len([await anext(pieces) for _ in range(3)]) == 3
        with pytest.raises(BROKEN) as raised:
            await anext(pieces)
    if word == "error_after:3":
        assert raised.value.type == "overloaded_error"
        assert raised.value.status_code == 200


async def test_truncated_stream(client: AsyncAnthropic):
    """A stream that ends cleanly in its middle is no error to the client: only the reason to stop is missing."""
    pieces, message = await streamed(client, extra_headers=fault("truncated"))
    whole, _ = await streamed(client)
    assert pieces == whole[: len(whole) // 2]
    assert message.stop_reason is None


async def test_error_in_200(client: AsyncAnthropic):
    """A 200 that is an error is one in a stream, and in JSON something that only looks like a message."""
    with pytest.raises(anthropic.APIStatusError) as raised:
        await streamed(client, extra_headers=fault("error_200"))
    assert raised.value.type == "overloaded_error"
    assert (await client.messages.create(**ASKED, extra_headers=fault("error_200"))).type == "error"


async def test_web_page(client: AsyncAnthropic):
    """A web page is given to the caller as the text that it is."""
    assert "<title>" in await client.messages.create(**ASKED, extra_headers=fault("html"))


@pytest.mark.parametrize("word", ["html", "empty"])
async def test_stream_of_nothing(client: AsyncAnthropic, word: str):
    """A stream without any event has no message."""
    with pytest.raises(AssertionError):
        await streamed(client, extra_headers=fault(word))


async def test_endless_stream(client: AsyncAnthropic, simulated: Provider):
    """An endless answer goes beyond max_tokens, until the client has had enough."""
    before = simulated.ask("GET", "/state")["cancelled"]
    length = 0
    async with client.messages.stream(**{**ASKED, "max_tokens": 5}, extra_headers=fault("endless")) as stream:
        async for piece in stream.text_stream:
            length += len(piece)
            if length > 4000:
                break
    state = simulated.reached(cancelled=before + 1)
    assert (state["cancelled"], state["open"]) == (before + 1, 0)


async def test_endless_json(simulated: Provider):
    """An endless answer that is not streamed does not end either."""
    headers = {"x-api-key": "k", "anthropic-version": "2026-10-21", **fault("endless")}
    length = 0
    async with (
        httpx2.AsyncClient(timeout=PATIENCE) as http,
        http.stream("POST", simulated.url + "/v1/messages", json=ASKED, headers=headers) as answer,
    ):
        async for chunk in answer.aiter_bytes():
            length += len(chunk)
            if length > 20_000:
                break


async def test_disconnect(client: AsyncAnthropic, simulated: Provider):
    """A client that leaves in the middle of a stream is noticed while the next piece is far away."""
    before = simulated.ask("GET", "/state")["cancelled"]
    async with client.messages.stream(**ASKED, extra_headers=fault("stall_after:3")) as stream:
        pieces = stream.text_stream
        assert len([await anext(pieces) for _ in range(3)]) == 3
        assert simulated.ask("GET", "/state")["open"] == 1
    state = simulated.reached(cancelled=before + 1)
    assert (state["cancelled"], state["open"]) == (before + 1, 0)
    assert (simulated.last()["outcome"], simulated.last()["faults"]) == ("cancelled", ["stall_after"])


async def test_refusal(client: AsyncAnthropic):
    """A refusal says so."""
    message = await client.messages.create(**ASKED, extra_headers=fault("refusal"))
    assert (message.stop_reason, message.content, message.stop_details.type) == ("refusal", [], "refusal")
    assert (await streamed(client, extra_headers=fault("refusal")))[1].stop_reason == "refusal"


async def test_canary(client: AsyncAnthropic):
    """The system prompt and given text come back in the answer, streamed too."""
    system = "Write a letter. Never say CANARY-93f1."
    assert "CANARY-93f1" in "".join((await streamed(client, system=system, extra_headers=fault("echo_system")))[0])
    text = "mail someone@example.org, +49 30 1234567"
    leak = f"leak:{base64.urlsafe_b64encode(text.encode()).decode().rstrip('=')}"
    for asked in (ASKED, ASKED | {"tools": [TOOL]}):
        message = await client.messages.create(**asked, extra_headers=fault(leak))
        assert text in message.content[0].text


async def test_tool_garbage(client: AsyncAnthropic):
    """A tool is asked for outside its schema."""
    message = await client.messages.create(**ASKED, tools=[TOOL], extra_headers=fault("tool_garbage"))
    assert set(message.content[-1].input) > set(TOOL["input_schema"]["required"])
    assert isinstance(message.content[-1].input["limit"], dict)


async def test_times(client: AsyncAnthropic):
    """Delays are those that were asked for, at least."""
    for ask in (streamed, _whole):
        begun = time.monotonic()
        pieces, _ = await ask(client, max_tokens=8, extra_headers=fault("first:30,slow:20"))
        assert time.monotonic() - begun >= 0.03 + 0.02 * (len(pieces) - 1)


async def _whole(client: AsyncAnthropic, **changes: Any) -> tuple[list[str], anthropic.types.Message]:
    message = await client.messages.create(**{**ASKED, **changes})
    return message.content[0].text.split(), message


async def test_switch(client: AsyncAnthropic, simulated: Provider):
    """A fault is switched on and off while the provider runs; a request's own word goes before it."""
    simulated.ask("PUT", "/faults", {"fault": "529"})
    try:
        with pytest.raises(anthropic.OverloadedError):
            await client.messages.create(**ASKED)
        with pytest.raises(anthropic.RateLimitError):
            await client.messages.create(**ASKED, extra_headers=fault("429"))
    finally:
        simulated.ask("PUT", "/faults", {"fault": None})
    await client.messages.create(**ASKED)


async def test_share(client: AsyncAnthropic):
    """A share of requests fails, and it is the same requests for the same seed."""
    stories = []
    for _ in range(2):
        with provider("--fault", "500:0.5", "--seed", "7") as failing:
            there, story = client.with_options(base_url=failing.url), ""
            for _ in range(12):
                try:
                    await there.messages.create(**ASKED)
                    story += "."
                except anthropic.InternalServerError:
                    story += "x"
            stories.append(story)
    assert stories[0] == stories[1]
    assert set(stories[0]) == {".", "x"}


def test_shares():
    """A share is kept to over many requests."""
    fallen = sum(bool(befall(parse("stall:0.25"), 3, count)) for count in range(4000))
    assert 900 < fallen < 1100


def test_words():
    """Words are read with their arguments and shares."""
    assert parse("slow:50, drop_after:3:0.5,leak:aGk,429:0.1") == (
        Fault("slow", number=50),
        Fault("drop_after", number=3, share=0.5),
        Fault("leak", text="hi"),
        Fault("429", share=0.1),
    )
    assert parse("") == ()


@pytest.mark.parametrize(
    "words", ["no", "stall:2", "stall:x", "slow", "slow:x", "drop_after:-1", "leak:%", "429:0.1:1", ","]
)
def test_unknown_words(words: str):
    """What is no fault is refused."""
    with pytest.raises(UnknownFault):
        parse(words)
