"""The language model's routes: nothing of what callers ask and providers answer is in any byte that leaves."""

import asyncio
import base64
import json
from collections import Counter

import httpx
import pytest

from service.llm import breaker, journey
from service.llm.anthropic import failures
from service.llm.holdback import HoldBack
from service.llm.personal import Personal
from telemetry.pii import load
from tests.leaks.assisted import (
    BRIEFING,
    LETTER,
    QUESTION,
    STREAMED,
    UNLIMITED,
    asked,
    asked_of,
    assisted,
    formed,
    people,
    with_cv,
)
from tests.leaks.corpus import Planted
from tests.leaks.raw_provider import USAGE, events, message, raw_provider, said_by, spoken, whole
from tests.leaks.real import environment
from tests.leaks.test_peers import Trap, trapped
from tests.leaks.wire import OPEN_METRICS, Instrumented, listening
from tests.patience import PATIENCE, until
from tests.service.briefings.conftest import until_settled
from tests.service.llm.simulated.process import Provider, provider
from tests.service.run.process import running

PREVIEW = "gen_ai.content.preview"
POLICY = load()
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


@pytest.fixture(scope="module")
def simulated():
    """A provider that answers at once; what it writes itself holds no marker either."""
    with provider() as running:
        yield running


@pytest.fixture
def impatient(monkeypatch):
    """Providers are asked again at once, and never left alone."""
    monkeypatch.setattr(journey, "_FIRST_PAUSE", 0.0)
    monkeypatch.setattr(breaker, "FAILURES", 1_000_000)


def markers(planted: list[Planted]) -> list[str]:
    """What is looked for."""
    return [marker for sent in planted for marker in sent.markers]


def leak(simulated: Provider, text: str) -> None:
    """Let the provider say a text in each answer."""
    encoded = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    simulated.ask("PUT", "/faults", {"fault": f"leak:{encoded}" if text else None})


async def brief(running: Instrumented, focus: str) -> int:
    """Ask for a briefing and wait for its end."""
    answer = await running.client.request(**BRIEFING, json={"focus": focus[:1000]})
    await until_settled(running.app)
    return answer.status_code


@pytest.mark.parametrize(
    ("turn", "content", "log_format", "log_level"), [(0, "false", "json", "info"), (1, "true", "console", "debug")]
)
async def test_what_callers_say_and_models_repeat_leaves_nowhere(
    tmp_path, simulated, turn, content, log_format, log_level
):
    """Whatever callers send to these routes, and the model says back, is nowhere; with content on, prose in one place.

    That place is `gen_ai.content.preview`, and nothing that a value rule knows is in it.
    """
    persons, values = people(41 + turn, 7), formed(42 + turn, step=12)
    given = {CONTENT: content, "LOG_FORMAT": log_format, "LOG_LEVEL": log_level}
    statuses: Counter[int] = Counter()
    with listening() as wire:
        async with assisted(wire, tmp_path, simulated.url, **given) as running:
            for number, sent in enumerate([*persons, *values]):
                leak(simulated, sent.text)
                for ask in asked(sent.text) if sent in persons else asked_of(sent.text):
                    statuses[(await running.client.request(**ask)).status_code] += 1
                if number % 5 == 0:
                    statuses[await brief(running, sent.text)] += 1
                await running.exported()
            leak(simulated, "")
            await running.scrape()
            assert running.lost() == {}
        assert {200, 201, 202, 404, 422} <= set(statuses)
        assert 500 not in statuses
        shown = [span.attributes[PREVIEW] for span in wire.otlp.spans if PREVIEW in span.attributes]
        assert (len(shown) > 50) == (content == "true")
        assert wire.found(markers([*persons, *values]), but=PREVIEW) == []
        # What only the key beside it gives away (`principal=…`) a model may say alone.
        assert wire.found(marker for marker in markers(values) if POLICY.text(marker) != marker) == []


def loud(trap: Trap) -> dict[str, str]:
    """Every variable by which the libraries of this side say more, or say it to somebody else."""
    switches = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGCHAIN_VERBOSE")
    others = ("LANGCHAIN_DEBUG", "LANGSMITH_OTEL_ENABLED", "ANTHROPIC_OPEN_TELEMETRY")
    urls = ("LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT", "LANGSMITH_RUNS_ENDPOINTS", "HTTP_PROXY", "http_proxy")
    return {
        **dict.fromkeys((*switches, *others), "true"),
        **dict.fromkeys(urls, trap.url),
        "LANGSMITH_API_KEY": "lsv2_pt_not_a_key",
        "LANGCHAIN_LOG": "debug",
        "ANTHROPIC_LOG": "debug",
        "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content",
        "LOG_LEVEL": "debug",
    }


async def test_the_loudest_process_tells_nobody(tmp_path, simulated):
    """With every variable of the SDK's, LangChain's and LangSmith's a process says no more, and to nobody else."""
    planted = [*people(48, 2), *formed(49, step=60)]
    with listening() as wire, trapped() as trap:
        settings = {"SIMULATED_PROVIDER_URL": simulated.url, "RATE_LIMITS": UNLIMITED, "DRAIN_SECONDS": "0"}
        given = environment(wire, tmp_path, **settings) | loud(trap)
        async with running(tmp_path, **given) as service:
            headers = {"Authorization": b"Bearer " + service.token}
            url = f"http://127.0.0.1:{service.port}"
            async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE) as client:
                for sent in planted:
                    answers = [await client.request(**ask) for ask in asked(sent.text)]
                    assert {answer.status_code for answer in answers} <= {200, 201, 409, 422, 502}
                made = await client.request(**BRIEFING, json={"focus": planted[0].text[:1000]})
                for accept in ({}, OPEN_METRICS):
                    wire.expositions.append((await client.get("/metrics", headers=accept)).content)
                async with asyncio.timeout(PATIENCE):
                    while (await client.get(made.headers["Location"])).json()["status"] != "done":  # noqa: ASYNC110 - another process
                        await asyncio.sleep(0.1)
            named = {"invoke_agent plan", "chat claude-sonnet-5-5"}
            await until(lambda: named <= {span.name for span in wire.otlp.spans})
            service.signal()
            await service.ended()
            wire.lines += [service.stdout, service.stderr.replace(service.token, b"")]
        assert wire.found(markers(planted)) == []
        assert trap.visitors == []


def hostile(text: str) -> dict[str, bytes]:
    """Answers that hold a text wherever a provider may put one; each is given to calls of both kinds."""
    begun = spoken(message(id=text, model=text))
    frame = b"event: content_block_delta\ndata: {" + text.encode() + b"\n\n"
    error = {"type": "error", "error": {"type": text, "message": text}, "request_id": text}
    tool = {"type": "tool_use", "id": text, "name": text, "input": {text: text}}
    return {
        "ids": whole(message(id=text, model=text, stop_reason=text, stop_sequence=text, role=text)),
        "streamed ids": events(*spoken(message(id=text, model=text, stop_reason=text, role=text))),
        "type": whole(message(type=text)),
        "block": whole(message(content=[{"type": text, "text": text}])),
        "block's text": whole(message(content=[{"type": "text", "text": [text]}])),
        "tool": whole(message(content=[tool], stop_reason="tool_use")),
        "streamed tool": events(*spoken(message(content=[tool], stop_reason="tool_use"))),
        "tool's id": whole(message(content=[{**tool, "id": [text]}])),
        "usage": whole(message(usage={"input_tokens": text, "output_tokens": text})),
        "streamed usage": events(*spoken(message(usage={**USAGE, "input_tokens": text}))),
        "refusal": whole(message(stop_reason="refusal", stop_details={"explanation": text})),
        "quoted": whole({**error, "error": {"type": "invalid_request_error", "message": text}}, 400, "Bad Request"),
        "error": whole(error, 500, "Internal Server Error"),
        "error in a 200": whole(error),
        "error at first": events({"type": "error", **error}),
        "error in the middle": events(*begun[:3], b"event: error\ndata: " + json.dumps(error).encode() + b"\n\n"),
        "web page": whole({}, content_type="text/html").replace(b"{}", b"") + text.encode(),
        "malformed frame": events(*begun[:3], frame),
        "event's name": events(*begun[:3], b"event: " + json.dumps(text).encode() + b"\ndata: {}\n\n"),
        "event's type": events(*begun[:3], {"type": text.replace("\n", " "), "text": text}),
        "no HTTP": text.encode(),
    }


async def test_what_providers_say_beside_their_answers_leaves_nowhere(tmp_path, impatient):
    """Ids, models, reasons, types, tools, usage, errors and broken frames that hold a text show it in no byte."""
    planted = [*people(43, 5), *formed(44, step=20)]
    with listening() as wire:
        async with raw_provider() as raw, assisted(wire, tmp_path, raw.url, ENABLE_PROMPT_CACHING="false") as running:
            await running.client.request(**with_cv("Ten years of Python."))
            for number, sent in enumerate(planted):
                for answer in [*hostile(sent.text).values()][number % 3 :: 3]:
                    raw.answer = lambda _, answer=answer: answer
                    for ask in (QUESTION, STREAMED):
                        assert (await running.client.request(**ask)).status_code < 504
                await running.exported()
            await running.scrape()
            assert running.lost() == {}
        calls = [span for span in wire.otlp.spans if span.name.startswith("chat ")]
        assert len(calls) > 300
        assert {"other", "msg_1"} <= {span.attributes.get("gen_ai.response.id") for span in calls}
        assert wire.found(markers(planted)) == []


async def test_tools_that_a_model_makes_up_leave_nowhere(tmp_path, impatient):
    """Names, ids and arguments of tools, known ones and others, that hold a text show it in no byte."""
    planted = [*people(45, 4), *formed(46, step=40)]
    with listening() as wire:
        async with raw_provider() as raw, assisted(wire, tmp_path, raw.url, ENABLE_PROMPT_CACHING="false") as running:
            await running.client.request(**with_cv("Ten years of Python."))
            for sent in planted:
                raw.answer = agents(sent.text)
                assert await brief(running, "Python") == 202
                await running.exported()
            await running.scrape()
            assert running.lost() == {}
        names = Counter(span.name for span in wire.otlp.spans)
        assert names["execute_tool search_jobs"] >= len(planted)
        refused = [event for span in wire.otlp.spans for event in span.events if event == "clearstory.llm.tool_refused"]
        assert len(refused) > len(planted)
        assert wire.found(markers(planted)) == []


def agents(text: str):
    """The answers of a briefing's agents, who look for a text with tools that there are and with others."""
    words = iter(
        (
            {"queries": [text[:60]]},
            {"ranking": []},
            {"title": text[:200], "summary": text[:2000], "items": []},
            {"verdict": "accept", "remarks": text[:2000]},
        )
    )
    uses = (
        {"type": "tool_use", "id": text, "name": "search_jobs", "input": {"query": "Python", "limit": 1}},
        {"type": "tool_use", "id": text, "name": "search_jobs", "input": {"query": text[:60], "limit": 1}},
        {"type": "tool_use", "id": text, "name": "get_job", "input": {"job_id": text}},
        {"type": "tool_use", "id": text, "name": text, "input": {text: text}},
    )

    def answer(request: dict) -> bytes:
        if not request.get("tools"):
            return whole(message(content=[{"type": "text", "text": json.dumps(next(words))}]))
        if len(request["messages"]) > 1:
            return whole(message())
        return whole(message(content=[*uses], stop_reason="tool_use"))

    return answer


def broken(*_arguments, **_options):
    """A defect."""
    raise RuntimeError("this is broken")


def broken_with_a_value(_self, text, *_arguments):
    """A defect that repeats something of a known form."""
    raise RuntimeError(f"cannot read bob.smith4711@example.com in {len(text)} characters")


DEFECTS = {
    "filter": (HoldBack, "feed", broken),
    "end of the filter": (HoldBack, "finish", broken),
    "scrubbing": (Personal, "without_contacts", broken_with_a_value),
    # While an error of the client, which quotes the request, is handled: it is the context of this one.
    "client's errors": (failures, "_reason", broken),
}


@pytest.mark.parametrize("defect", DEFECTS)
async def test_exceptions_in_the_middle_of_a_call_carry_nothing_of_it(tmp_path, monkeypatch, defect):
    """An error of ours in the middle of a call reaches Sentry, log and span without prompt, answer or request."""
    (person,) = people(47, 1)
    quoted = {"type": "error", "error": {"type": "invalid_request_error", "message": person.text}}
    with listening() as wire:
        async with raw_provider() as raw, assisted(wire, tmp_path, raw.url, ENABLE_PROMPT_CACHING="false") as running:
            await running.client.request(**with_cv(person.text))
            if defect == "client's errors":
                raw.answer = lambda _: whole(quoted, 400, "Bad Request")
            else:
                raw.answer = said_by(message(content=[{"type": "text", "text": person.text}]))
            monkeypatch.setattr(*DEFECTS[defect])
            asks = (LETTER, STREAMED, {**QUESTION, "json": {"question": person.text[:2000]}})
            statuses = [(await running.client.request(**ask)).status_code for ask in asks]
            # A stream that has begun breaks off.
            assert statuses == [500, 200 if defect == "end of the filter" else 500, 500]
            assert await brief(running, person.text) == 202
            await running.exported()
            await running.scrape()
        failed = wire.sentry.payloads("event")
        assert len(failed) >= 3
        assert all(event["exception"]["values"][-1]["type"] == "RuntimeError" for event in failed)
        assert b'"vars"' not in b"".join(wire.sentry.bodies())
        assert b"RuntimeError" in b"".join(wire.lines)
        assert wire.found([*person.markers, "bob.smith4711@example.com"]) == []


async def test_canaries_leave_nowhere(tmp_path, simulated, impatient):
    """What marks the instructions is in no byte, with content on too, when a model repeats all of them."""
    with listening() as wire:
        async with assisted(wire, tmp_path, simulated.url, **{CONTENT: "true"}) as running:
            ours = running.app.state.assistance
            canaries = [ours.canaries.of(prompt) for prompt in ours.prompts.values()]
            await running.client.request(**with_cv("Ten years of Python."))
            simulated.ask("PUT", "/faults", {"fault": "echo_system"})
            answers = [await running.client.request(**ask) for ask in (LETTER, STREAMED, QUESTION)]
            assert await brief(running, "Python") == 202
            simulated.ask("PUT", "/faults", {"fault": None})
            await running.scrape()
        assert not [canary for canary in canaries for answer in answers if canary in answer.text]
        assert "clearstory.llm.withheld" in {event for span in wire.otlp.spans for event in span.events}
        assert wire.found(canaries) == []


def test_the_simulated_provider_says_nothing_of_what_it_is_sent(simulated):
    """After all of the above the simulated provider's own output is the one line that says where it listens."""
    simulated.process.terminate()
    assert simulated.process.communicate(timeout=PATIENCE) == (b"", b"")
