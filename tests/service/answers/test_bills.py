"""Who pays for what: a caller for what providers were asked for them, the provider's budget for the same, no more."""

import pytest

from service.llm.breaker import FAILURES
from service.llm.router import Deadlines
from telemetry import names
from tests.service.answers.asking import EVENTS, LETTER, LETTERS, code, problem
from tests.service.answers.running import started
from tests.service.answers.test_llm_limits import BOTH, limits, spent

# There is room for a letter beside one that was dropped, and not beside two of those.
TOKENS = 5_000
BOTH_FORMS = pytest.mark.parametrize("headers", [{}, EVENTS], ids=["whole", "streamed"])
# The faults, and how many of the attempts that they befall are paid for: what is refused unread costs nothing.
PAID = {"refusal": 1, "echo_system": 1, "stall": 1, "drop": 3, "drop_after:0": 3} | dict.fromkeys(
    ("400", "401", "429", "500", "529"), 0
)


@pytest.fixture
def start(tmp_path, simulated):
    """Start an application of the test's own."""

    def begin(**environ):
        return started(tmp_path, SIMULATED_PROVIDER_URL=simulated.url, **environ)

    return begin


def paid(service, *providers):
    """What the provider was paid, by its budget: the caller's tokens are the same, and so are all calls' spans'."""
    provider = sum(service.metric("llm_provider_tokens_spent_total", gen_ai_provider_name=each) for each in providers)
    kinds = (names.ATTR_GENAI_INPUT_TOKENS, names.ATTR_GENAI_OUTPUT_TOKENS)
    told = sum(span.attributes.get(kind, 0) for span in service.call_spans() for kind in kinds)
    assert (provider, told) == (spent(service), spent(service))
    return provider


def cost(service, provider="simulated", model="claude-sonnet-5-5"):
    """What letters have cost, in US dollars."""
    labels = {"gen_ai_provider_name": provider, "gen_ai_request_model": model, "prompt_name": "cover_letter"}
    return service.metric("gen_ai_client_cost_usd_total", **labels)


@BOTH_FORMS
@pytest.mark.parametrize("word", PAID)
async def test_each_attempt_is_paid_for(start, simulated, word, headers):
    """What was sent and what has come counts for every attempt, whatever the answer came to; tokens, cost and span."""
    async with start() as service, service.client() as client:
        answer = await client.post(LETTERS, json=LETTER, headers=headers)
        assert answer.is_success
        usage = service.call_spans()[0].attributes
        read = usage[names.ATTR_GENAI_INPUT_TOKENS]
        before, price = paid(service, "simulated"), cost(service)
        simulated.ask("PUT", "/faults", {"fault": word})
        if word == "stall":
            service.app.state.assistance.router._deadlines = Deadlines(3.0, 3.0)
        assert not (await client.post(LETTERS, json=LETTER, headers=headers)).is_success
        taken = paid(service, "simulated") - before
        assert PAID[word] * read * 0.8 <= taken <= PAID[word] * read * 2
        assert (cost(service) > price) == (PAID[word] > 0)
        assert service.is_at_rest()


@pytest.mark.parametrize("word", ["drop_after:9", "error_after:9", "malformed"])
async def test_what_has_come_is_paid_for(start, simulated, word):
    """A stream that breaks off costs what was sent and what has come of it, known or by estimate."""
    async with start() as service, service.client() as client:
        simulated.ask("PUT", "/faults", {"fault": word})
        answer = await client.post(LETTERS, json=LETTER, headers=EVENTS)
        assert "event: done" not in answer.text
        (span,) = service.call_spans()
        assert 1 <= span.attributes[names.ATTR_GENAI_OUTPUT_TOKENS] <= 100
        assert paid(service, "simulated") > span.attributes[names.ATTR_GENAI_INPUT_TOKENS] > 1000
        assert 0 < cost(service) == pytest.approx(span.attributes[names.ATTR_LLM_COST])


@BOTH_FORMS
async def test_who_asked_nobody_pays_nothing(start, simulated, headers):
    """An open circuit and a provider that cannot be reached give back what was set aside."""
    url = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "ANTHROPIC_API_KEY": "sk-ant-x", "LLM_PROVIDER": "anthropic"}
    async with start(**url) as service, service.client() as client:
        for _ in range(FAILURES):
            answer = await client.post(LETTERS, json=LETTER, headers=headers)
            assert code(problem(answer)) == "llm-unavailable"
        assert service.metric("gen_ai_client_breaker_open", gen_ai_provider_name="anthropic") == 1
        assert (paid(service, "anthropic"), cost(service, "anthropic")) == (0, 0)
        assert service.is_at_rest()


@BOTH_FORMS
async def test_a_spent_provider_costs_no_caller(start, simulated, headers):
    """Where the provider's budget is used up the caller's tokens are given back."""
    budgets = '{"simulated": {"tokens": 4000, "window": 600}}'
    async with start(LLM_BUDGETS=budgets) as service, service.client() as client:
        assert (await client.post(LETTERS, json=LETTER)).status_code == 201
        before = paid(service, "simulated")
        for _ in range(3):
            assert (await client.post(LETTERS, json=LETTER, headers=headers)).status_code == 503
        assert paid(service, "simulated") == before
        assert service.is_at_rest()


@BOTH_FORMS
async def test_who_is_answered_elsewhere_pays_both(start, simulated, headers):
    """A refusal at the first provider and the second one's answer are two bills, each at its provider's price."""
    first = {"ANTHROPIC_BASE_URL": simulated.url, "OPENROUTER_BASE_URL": simulated.url}
    async with start(**BOTH, **first) as service, service.client() as client:
        simulated.ask("PUT", "/faults", {"fault": "refusal"})
        assert (await client.post(LETTERS, json=LETTER, headers=headers)).status_code == 422
        simulated.ask("PUT", "/faults", {"fault": None})
        taken = paid(service, "anthropic", "openrouter")
        assert taken >= 2000
        assert (
            0
            < cost(service, "anthropic")
            == pytest.approx(cost(service, "openrouter", "anthropic/claude-sonnet-5.5"), rel=0.5)
        )


@BOTH_FORMS
async def test_no_attempt_beyond_the_callers_limit(start, simulated, headers):
    """A further attempt is one that the caller can pay for, besides those that broke off: else it is a 429."""
    simulated.ask("PUT", "/faults", {"fault": "drop"})
    before = simulated.ask("GET", "/state")["requests"]
    async with start(**limits(tokens=TOKENS)) as service, service.client() as client:
        answer = await client.post(LETTERS, json=LETTER, headers=headers)
        assert (code(problem(answer)), answer.status_code, problem(answer)["limit"]) == ("llm-limited", 429, "tokens")
        assert simulated.ask("GET", "/state")["requests"] - before == 2
        assert 0 < paid(service, "simulated") <= TOKENS
        assert service.is_at_rest()
