"""What a caller may have of the language model, and what a provider may be asked for: who refuses says which it is."""

import asyncio
import json

import pytest

from telemetry import names
from tests.service.answers.asking import EVENTS, LETTER, LETTERS, QUESTION, QUESTIONS, code, events, letters, problem
from tests.service.answers.running import LIMITS, started

BOTH = {
    "LLM_PROVIDER": "anthropic,openrouter",
    "ANTHROPIC_API_KEY": "sk-ant-first",
    "OPENROUTER_API_KEY": "sk-or-second",
}


def limits(**llm):
    """Settings with some limits of the policy `llm`."""
    given = json.loads(LIMITS)
    return {"RATE_LIMITS": json.dumps({**given, "llm": {**given["llm"], **llm}})}


@pytest.fixture
def start(tmp_path, simulated):
    """Start an application of the test's own."""

    def begin(**environ):
        return started(tmp_path, SIMULATED_PROVIDER_URL=simulated.url, **environ)

    return begin


def spent(service, policy="llm"):
    """The tokens that callers were charged with."""
    return service.metric("llm_tokens_spent_total", policy=policy)


def refused_by(service):
    """The policy and the limit that the last request's span names."""
    attributes = service.recorder.server_spans()[-1].attributes
    return attributes.get("clearstory.rejection.policy"), attributes.get("clearstory.rejection.limit")


async def test_so_many_at_once(start, simulated):
    """The fifth call at the same time is a 429 that names `concurrency`; one that has ended, or left, makes room."""
    simulated.ask("PUT", "/faults", {"fault": "stall"})
    before = simulated.ask("GET", "/state")["requests"]
    async with start() as service, service.client() as client, service.client() as other:
        four = [asyncio.create_task(client.post(LETTERS, json=LETTER, headers=headers)) for headers in (EVENTS, {}) * 2]
        await asyncio.to_thread(simulated.reached, requests=before + 4)
        for headers in ({}, EVENTS):
            answer = await client.post(LETTERS, json=LETTER, headers=headers)
            told = problem(answer)
            assert (code(told), told["status"], told["limit"], told["policy"]) == (
                "llm-limited", 429, "concurrency", "llm",
            )  # fmt: skip
            assert int(answer.headers["retry-after"]) >= 1
            assert refused_by(service) == ("llm", "concurrency")
            assert service.recorder.events("http.request.completed")[-1]["rate_limit"] == "refused"
        simulated.ask("PUT", "/faults", {"fault": None})
        assert (await client.post(QUESTIONS, json=QUESTION)).status_code == 200
        assert (await other.post(LETTERS, json=LETTER)).status_code == 201
        for task in four:
            task.cancel()
        await asyncio.gather(*four, return_exceptions=True)
        assert service.is_at_rest()
        assert (await client.post(LETTERS, json=LETTER)).status_code == 201
        assert simulated.ask("GET", "/state")["requests"] == before + 7


@pytest.mark.parametrize("headers", [{}, EVENTS])
async def test_so_many_tokens(start, simulated, headers):
    """A budget that is used up is a 429 that names `tokens`, before the provider is asked; others have their own."""
    async with start(**limits(tokens=8000)) as service, service.client() as client, service.client() as other:
        before, answered = simulated.ask("GET", "/state")["requests"], 0
        while (answer := await client.post(LETTERS, json=LETTER, headers=headers)).status_code < 300:
            answered += 1
            assert spent(service) <= 8000
        told = problem(answer)
        assert (code(told), told["status"], told["limit"]) == ("llm-limited", 429, "tokens")
        assert refused_by(service) == ("llm", "tokens")
        assert 1 <= int(answer.headers["retry-after"]) <= 61
        assert answered >= 2
        assert simulated.ask("GET", "/state")["requests"] == before + answered
        assert len(letters(service.database)) == answered
        assert (await other.post(LETTERS, json=LETTER)).status_code == 201
        assert service.is_at_rest()


@pytest.mark.parametrize("headers", [{}, EVENTS])
async def test_what_never_fits(start, simulated, headers):
    """A call over the whole budget is a 422, for no wait would help, and nobody is asked."""
    before = simulated.ask("GET", "/state")["requests"]
    async with start(**limits(tokens=1500)) as service, service.client() as client:
        answer = await client.post(LETTERS, json=LETTER, headers=headers)
        assert (code(problem(answer)), answer.status_code) == ("over-token-budget", 422)
        assert "retry-after" not in answer.headers
        assert refused_by(service) == ("llm", "tokens")
        assert (spent(service), service.is_at_rest()) == (0, True)
    assert simulated.ask("GET", "/state")["requests"] == before


async def test_so_many_requests(start):
    """The number of requests is a limit of its own."""
    async with start(**limits(limit=2)) as service, service.client() as client:
        answers = [await client.post(LETTERS, json=LETTER, headers=EVENTS) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert code(problem(answers[-1])) == "rate-limited"
        assert refused_by(service) == ("llm", "requests")
        assert answers[-1].headers["retry-after"]


async def test_what_is_used_is_charged(start, simulated):
    """An answer is charged with what the provider says; one that fails or breaks off with what it has taken."""
    async with start() as service, service.client() as client:

        async def charged(fault, **headers):
            simulated.ask("PUT", "/faults", {"fault": fault})
            service.close_breakers()
            service.recorder.clear()
            before = spent(service)
            answer = await client.post(LETTERS, json=LETTER, headers=headers)
            return answer, spent(service) - before

        for headers in ({}, EVENTS):
            _, tokens = await charged(None, **headers)
            (span,) = service.call_spans()
            usage = [span.attributes[f"gen_ai.usage.{kind}_tokens"] for kind in ("input", "output")]
            assert tokens == sum(usage)
            read = usage[0]
            answer, tokens = await charged("500", **headers)
            assert (answer.status_code, tokens) == (503, 0)
            answer, tokens = await charged("drop", **headers)
            assert answer.status_code == 503
            assert 3 * read * 0.8 <= tokens <= 3 * read * 1.2  # the estimate of what was sent, thrice
        answer, tokens = await charged("drop_after:20", **EVENTS)
        assert events(answer.text)[-1].name == "error"
        assert read < tokens < read + 100


async def test_a_provider_s_budget_sends_callers_to_the_next(start, simulated):
    """Where a provider's budget is used up the next one is asked, and the span says why."""
    budget = json.dumps({"anthropic": {"tokens": 4000, "window": 3600}})
    urls = {"ANTHROPIC_BASE_URL": simulated.url, "OPENROUTER_BASE_URL": simulated.url}
    async with start(LLM_BUDGETS=budget, **BOTH, **urls) as service, service.client() as client:
        for headers in ({}, EVENTS, {}):
            assert (await client.post(LETTERS, json=LETTER, headers=headers)).status_code in (200, 201)
        first, *rest = service.call_spans()
        assert first.attributes[names.ATTR_GENAI_PROVIDER] == "anthropic"
        for span in rest:
            assert span.attributes[names.ATTR_GENAI_PROVIDER] == "openrouter"
            (event,) = [event for event in span.events if event.name == names.LLM_FALLOVER]
            assert event.attributes[names.ATTR_LLM_REASON] == "budget"
        assert refused_by(service) == (None, None)
        assert service.is_at_rest()


@pytest.mark.parametrize("headers", [{}, EVENTS])
async def test_a_provider_s_budget_is_nobody_s_fault(start, simulated, headers):
    """Where there is no next one it is a 503 with the time to come back, and nobody is asked."""
    async with (
        start(LLM_BUDGETS='{"simulated": {"tokens": 4000, "window": 600}}') as service,
        service.client() as client,
        service.client() as other,
    ):
        assert (await client.post(LETTERS, json=LETTER)).status_code == 201
        before = simulated.ask("GET", "/state")["requests"]
        answer = await other.post(LETTERS, json=LETTER, headers=headers)
        assert (code(problem(answer)), answer.status_code) == ("llm-unavailable", 503)
        assert 1 <= int(answer.headers["retry-after"]) <= 601
        assert refused_by(service) == ("llm", "provider_budget")
        assert simulated.ask("GET", "/state")["requests"] == before
        assert service.is_at_rest()
