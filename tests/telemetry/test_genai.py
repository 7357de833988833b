"""Calls of language models, agents and tools as spans."""

import asyncio
import math
from collections.abc import AsyncIterator

import pytest
from opentelemetry import trace

from service.llm.model import Usage
from telemetry import Telemetry, names
from telemetry.genai import CallSpan
from tests.telemetry.model_calls import DIGEST, MODEL, OTHER_MODEL, USAGE, answered, facts, on_the_wire, watched
from tests.telemetry.receiver import attributes

ASKED = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": MODEL,
    "gen_ai.request.max_tokens": 1024,
    "gen_ai.request.temperature": 0.2,
    "gen_ai.request.stream": True,
    "server.address": "api.anthropic.com",
    "server.port": 443,
    "clearstory.prompt.name": "cover_letter",
    "clearstory.prompt.version": "3",
    "clearstory.prompt.digest": DIGEST,
}
TOOK = {
    "gen_ai.usage.input_tokens": 2130,
    "gen_ai.usage.output_tokens": 50,
    "gen_ai.usage.cache_read.input_tokens": 2000,
    "gen_ai.usage.cache_write.input_tokens": 30,
    "clearstory.llm.cost_usd": 0.0017,
}
ANSWERED = {
    "gen_ai.response.id": "msg_01XFDUDYJgAACzvnptvVoYEL",
    "gen_ai.response.model": "claude-sonnet-4-5-20250929",
    "gen_ai.response.finish_reasons": ("end_turn",),
    **TOOK,
}


def test_span_of_an_answered_call() -> None:
    """A call is one CLIENT span under the current one, with what the conventions ask and nothing else."""
    telemetry, recorder = watched()
    with telemetry.span("route"), telemetry.genai.call(facts(), "what is asked") as call:
        call.first_token()
        call.succeeded(**answered(answer="what is answered"))
    span, route = recorder.spans
    told = dict(span.attributes)
    assert 0 <= told.pop("gen_ai.response.time_to_first_chunk") < 60
    assert told == ASKED | ANSWERED
    assert (span.name, span.kind.name, span.status.status_code.name) == (f"chat {MODEL}", "CLIENT", "UNSET")
    assert span.parent == route.context
    assert span.events == ()


def test_call_that_is_not_streamed_says_so_by_silence() -> None:
    """`gen_ai.request.stream` is true or absent, and so is a temperature that nobody chose."""
    telemetry, recorder = watched()
    with telemetry.genai.call(facts(stream=False, temperature=None)) as call:
        call.succeeded(**answered())
    (span,) = recorder.spans
    left_out = {"gen_ai.request.stream", "gen_ai.request.temperature"}
    assert dict(span.attributes) == {key: value for key, value in (ASKED | ANSWERED).items() if key not in left_out}


def test_whole_span_passes_the_policy() -> None:
    """None of these attributes is anything that the privacy policy would hide: they arrive as they were set."""
    with on_the_wire() as (telemetry, receiver), telemetry.genai.call(facts()) as call:
        call.retried("overloaded", 0.5)
        call.fell_over(facts(provider="openrouter", model=OTHER_MODEL, server_address="127.0.0.1"), "timeout")
        call.succeeded(**answered())
    (sent,) = receiver.spans
    there = {"gen_ai.provider.name": "openrouter", "gen_ai.request.model": OTHER_MODEL, "server.address": "127.0.0.1"}
    assert attributes(sent) == ASKED | there | ANSWERED | {"gen_ai.response.finish_reasons": ["end_turn"]}


def test_failed_call() -> None:
    """A failed call has its kind as `error.type` and status, and the tokens that it took all the same."""
    telemetry, recorder = watched()
    with telemetry.genai.call(facts()) as call:
        call.took(USAGE, 0.0017)
        call.failed("interrupted")
    (span,) = recorder.spans
    assert dict(span.attributes) == ASKED | TOOK | {"error.type": "interrupted"}
    assert (span.status.status_code.name, span.status.description) == ("ERROR", "interrupted")


def test_cancelled_call_is_no_failure() -> None:
    """A call that nobody waits for any more says so, and its status stays unset."""
    telemetry, recorder = watched()
    with telemetry.genai.call(facts()) as call:
        call.took(USAGE, 0.0017)
        call.cancelled()
    (span,) = recorder.spans
    assert dict(span.attributes) == ASKED | TOOK | {"error.type": "cancelled"}
    assert span.status.status_code.name == "UNSET"


def test_exception_ends_the_call() -> None:
    """An exception that leaves an open call is its failure, told without what its text quotes."""
    with (
        on_the_wire() as (telemetry, receiver),
        pytest.raises(ValueError, match="secret"),
        telemetry.genai.call(facts()),
    ):
        raise ValueError("password: secret-4711")
    (sent,) = receiver.spans
    assert attributes(sent)["error.type"] == sent.status.message == "ValueError"
    assert [event.name for event in sent.events] == ["exception"]
    assert "secret-4711" not in str(sent)


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
def test_first_end_counts(end: str) -> None:
    """However often a call is ended, and whatever is told of it afterwards, it is one span and counted once."""
    telemetry, recorder = watched()
    ends = {
        "succeeded": lambda call: call.succeeded(**answered()),
        "failed": lambda call: call.failed("unavailable"),
        "cancelled": lambda call: call.cancelled(),
    }
    with telemetry.genai.call(facts()) as call:
        ends[end](call)
        told = recorder.spans[0].to_json()
        for later in ends.values():
            later(call)
        call.first_token()
        call.event(names.LLM_DEADLINE, {})
        call.retried("timeout", 1)
        call.fell_over(facts(provider="openrouter"), "timeout")
    assert [span.to_json() for span in recorder.spans] == [told]
    families = telemetry.metrics.registry.collect()
    samples = [sample for family in families for sample in family.samples if sample.name.startswith("gen_ai_")]
    counted = {sample.name: 0.0 for sample in samples}
    for sample in samples:
        counted[sample.name] += sample.value
    assert counted["gen_ai_client_operation_duration_seconds_count"] == 1
    assert counted["gen_ai_client_retries_total"] == counted["gen_ai_client_fallovers_total"] == 0


def test_decisions_are_events_on_the_span() -> None:
    """What was decided on the way is told in order; a fall-over makes the span the other provider's."""
    telemetry, recorder = watched()
    with telemetry.genai.call(facts()) as call:
        call.retried("overloaded", 0.5)
        call.event(names.LLM_DEADLINE, {names.ATTR_LLM_REASON: "first_token"})
        call.fell_over(facts(provider="openrouter", model=OTHER_MODEL), "timeout")
        call.event("somebody's own: bob@example.com", {})
        call.succeeded(**answered())
    (span,) = recorder.spans
    assert [(event.name, dict(event.attributes)) for event in span.events] == [
        (
            "clearstory.llm.retry",
            {"gen_ai.provider.name": "anthropic", "clearstory.llm.reason": "overloaded", "clearstory.llm.delay": 0.5},
        ),
        ("clearstory.llm.deadline", {"clearstory.llm.reason": "first_token"}),
        (
            "clearstory.llm.fallover",
            {
                "clearstory.llm.from": "anthropic",
                "clearstory.llm.to": "openrouter",
                "clearstory.llm.reason": "timeout",
            },
        ),
        ("other", {}),
    ]
    assert span.name == f"chat {OTHER_MODEL}"
    assert span.attributes["gen_ai.provider.name"] == "openrouter"


async def stream(telemetry: Telemetry, begun: list[CallSpan]) -> AsyncIterator[str]:
    """A streamed answer, as a provider gives it."""
    with telemetry.genai.call(facts()) as call:
        begun.append(call)
        call.first_token()
        yield "one"
        yield "two"
        call.succeeded(**answered())


async def test_call_that_ends_in_another_task() -> None:
    """A streamed call may end in another task than it began in: it stays a child of where it began."""
    telemetry, recorder = watched()
    begun: list[CallSpan] = []
    pieces = stream(telemetry, begun)
    with telemetry.span("route") as route:
        assert await anext(pieces) == "one"

        async def rest() -> list[str]:
            with telemetry.root_span("elsewhere"):
                return [piece async for piece in pieces]

        assert await asyncio.create_task(rest()) == ["two"]
    call, elsewhere, _ = recorder.spans
    assert call.parent == route.get_span_context()
    assert call.parent.trace_id != elsewhere.context.trace_id
    assert call.attributes["gen_ai.response.finish_reasons"] == ("end_turn",)


async def test_cancelled_task_cancels_its_call() -> None:
    """A task that is cancelled while it waits for a model ends the call as cancelled."""
    telemetry, recorder = watched()
    waiting = asyncio.Event()

    async def ask() -> None:
        with telemetry.genai.call(facts()):
            waiting.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(ask())
    await waiting.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    (span,) = recorder.spans
    assert (span.attributes["error.type"], span.status.status_code.name, span.events) == ("cancelled", "UNSET", ())


async def test_consumer_that_has_had_enough_cancels_the_call() -> None:
    """Closing a stream before its end ends its call as cancelled."""
    telemetry, recorder = watched()
    pieces = stream(telemetry, [])
    await anext(pieces)
    await pieces.aclose()
    (span,) = recorder.spans
    assert span.attributes["error.type"] == "cancelled"


def test_call_is_never_the_current_span() -> None:
    """Inside a call the current span is the caller's, outside of any request there is none."""
    telemetry, _ = watched()
    with telemetry.genai.call(facts()) as call:
        assert not trace.get_current_span().get_span_context().is_valid
        assert call.ids is not None


def test_agents_and_tools() -> None:
    """An agent's work and a tool's are INTERNAL spans, one under the other, with a call beside the tool."""
    telemetry, recorder = watched()
    with telemetry.genai.agent("planner"):
        with telemetry.genai.call(facts()) as call:
            call.succeeded(**answered())
        with telemetry.genai.tool("search_jobs", "toolu_01A09q90qw90lq917835lq9"):
            pass
    chat, tool, agent = recorder.spans
    assert (agent.name, agent.kind.name, dict(agent.attributes)) == (
        "invoke_agent planner",
        "INTERNAL",
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"},
    )
    assert (tool.name, tool.kind.name, dict(tool.attributes)) == (
        "execute_tool search_jobs",
        "INTERNAL",
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "search_jobs",
            "gen_ai.tool.call.id": "toolu_01A09q90qw90lq917835lq9",
            "gen_ai.tool.type": "function",
        },
    )
    assert tool.parent == chat.parent == agent.context
    assert {span.status.status_code.name for span in recorder.spans} == {"UNSET"}


def test_failures_of_agents_and_tools() -> None:
    """What a tool says or raises is its failure, and an exception that goes on is the agent's too."""
    telemetry, recorder = watched()

    def work() -> None:
        with telemetry.genai.tool("search_jobs", "toolu_1") as tool:
            tool.event(names.LLM_TOOL_REFUSED, {names.ATTR_LLM_REASON: "schema"})
            tool.failed("invalid_arguments")
        with telemetry.genai.tool("search_jobs", "toolu_2"):
            raise LookupError("gone")

    with pytest.raises(LookupError), telemetry.genai.agent("planner"):
        work()
    refused, failed, agent = recorder.spans
    assert (refused.status.description, refused.attributes["error.type"]) == ("invalid_arguments", "invalid_arguments")
    assert [event.name for event in refused.events] == ["clearstory.llm.tool_refused"]
    for span in (failed, agent):
        assert (span.status.description, span.attributes["error.type"]) == ("LookupError", "LookupError")
        assert [event.name for event in span.events] == ["exception"]


async def test_cancelled_agent_has_not_failed() -> None:
    """A cancellation is no failure of an agent."""
    telemetry, recorder = watched()
    with pytest.raises(asyncio.CancelledError), telemetry.genai.agent("planner"):
        raise asyncio.CancelledError
    (span,) = recorder.spans
    assert (span.status.status_code.name, span.events) == ("UNSET", ())


@pytest.mark.parametrize("sampler", ["always_off", "always_on"])
@pytest.mark.parametrize("count", [-5, 0, 10**30])
def test_usage_may_be_anything(count: int, sampler: str) -> None:
    """No number that a provider sends raises anything or loses the span."""
    with on_the_wire(sampler=sampler) as (telemetry, receiver), telemetry.genai.call(facts()) as call:
        call.first_token()
        usage = Usage(count, count, count, count)
        call.succeeded(**answered(usage=usage, cost_usd=math.copysign(0.5, count)))
    assert len(receiver.spans) == (sampler == "always_on")
