"""What a call of a language model has to pass, and that it leaves nothing behind."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from service import problems
from service.errors import LlmLimited, OverTokenBudget
from service.limits import NeverFits, in_memory_llm_limits
from service.llm.errors import InvalidCall, Overspent
from service.settings.limits import BUILT_IN
from telemetry import TelemetrySettings, instrument
from telemetry.metrics import Metrics
from telemetry.testing import Recorder
from tests.service.limits.budgets import POLICIES, PROVIDERS, Built, Limits


async def test_a_call_is_charged_with_what_it_used():
    """The last word counts, whether it is more or less than was reserved."""
    built = Built()
    async with built.admitted(60) as admission:
        assert await built.refusal(50) == ("tokens", 2.0)
        admission.used(70)
        admission.used(40)
    async with built.admitted(60) as admission:
        admission.used(80)
    assert await built.refusal(0) == ("tokens", 60.0)
    assert built.metric("llm_tokens_spent_total", policy="llm") == 120


async def test_a_call_may_need_more_than_it_was_admitted_with():
    """What it can afford is set aside with the rest, what it cannot is refused and changes nothing; one bill."""
    built = Built()
    async with built.admitted(40) as admission:
        await admission.afford(30)
        await admission.afford(80)
        assert built.metric("llm_tokens_reserved", policy="llm") == 80
        assert await built.refusal(30) == ("tokens", 2.0)
        for tokens in (110, 1000):
            with pytest.raises(Overspent):
                await admission.afford(tokens)
        admission.used(70)
    assert built.metric("llm_tokens_reserved", policy="llm") == 0
    assert built.metric("llm_tokens_spent_total", policy="llm") == 70
    async with built.admitted(30) as admission:
        admission.used(0)


async def test_the_wait_of_a_refusal_is_exact():
    """After `retry_after` it fits; a moment before it does not."""
    built = Built()
    for at in (0.0, 10.0, 25.0):
        built.clock.now = at
        async with built.admitted(30) as admission:
            admission.used(30)
    built.clock.now = 30.0
    assert await built.refusal(70) == ("tokens", 40.0)
    built.clock.now = 69.999
    assert (await built.refusal(70))[0] == "tokens"
    built.clock.now = 70.0
    async with built.admitted(70):
        pass


@pytest.mark.parametrize("error", [ValueError, TimeoutError, asyncio.CancelledError])
async def test_a_failed_call_is_charged_with_what_is_known(error):
    """A call that fails, is cancelled or times out frees its slot and is charged with what it said; else nothing."""
    built = Built()

    async def call(*said):
        async with built.admitted(100) as admission:
            for tokens in said:
                admission.used(tokens)
            raise error

    for said in ((), (10, 30)):
        with pytest.raises(error):
            await call(*said)
    assert built.slots.in_use("llm") == 0
    assert built.metric("llm_tokens_spent_total", policy="llm") == 30
    async with built.admitted(70):
        pass


async def test_forgetting_what_was_used_is_not_free():
    """A call that ends well without a word is charged with all it reserved."""
    built = Built()
    async with built.admitted(90):
        pass
    assert await built.refusal(11) == ("tokens", 60.0)


async def test_a_refusal_leaves_nothing_taken():
    """Whichever limit refuses, no slot and no token is held by it."""
    built = Built()
    async with built.admitted(100):
        for _ in range(5):
            assert await built.refusal(1) == ("tokens", 2.0)
        assert built.slots.in_use("llm") == 1
    built.clock.now = 60.0
    async with built.admitted(1) as first, built.admitted(1) as second:
        first.used(1)
        second.used(1)
        for _ in range(5):
            assert await built.refusal(1) == ("concurrency", 2.0)
    async with built.admitted(98):
        pass
    assert (built.slots.keys("llm"), built.metric("llm_tokens_reserved", policy="llm")) == (0, 0)


async def test_cancelled_while_tokens_are_asked_for():
    """A caller that is cancelled between its slot and its tokens holds neither."""
    asked = asyncio.Event()

    class Waiting:
        async def reserve(self, *_):
            asked.set()
            await asyncio.Event().wait()

    built = Built()
    built.limits = built.over(tokens=Waiting())
    task = asyncio.create_task(built.admitted(1).__aenter__())
    await asked.wait()
    assert built.slots.in_use("llm") == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert built.slots.in_use("llm") == 0


async def test_a_failing_settlement_frees_the_slot():
    """Where settling raises, the slot and the gauges are freed all the same."""

    class Lost:
        async def settle(self, _):
            raise ConnectionError

    class Losing:
        async def reserve(self, *_):
            return Lost()

    built = Built()
    built.limits = built.over(tokens=Losing())
    with pytest.raises(ConnectionError):
        async with built.admitted(1):
            pass
    assert built.slots.in_use("llm") == 0
    assert built.metric("llm_tokens_reserved", policy="llm") == 0


async def test_what_never_fits_is_told_apart():
    """More than the whole budget is the request's own fault, not a matter of waiting; nothing is taken."""
    built = Built()
    with pytest.raises(NeverFits) as refused:
        async with built.admitted(101):
            pytest.fail("it was admitted")
    assert isinstance(refused.value, InvalidCall)
    assert built.slots.in_use("llm") == 0
    async with built.admitted(100):
        pass


async def test_a_negative_reservation_leaves_nothing_taken():
    """What is no number of tokens is an error of ours, and frees the slot too."""
    built = Built()
    with pytest.raises(ValueError, match="must not be negative"):
        async with built.admitted(-1):
            pytest.fail("it was admitted")
    assert built.slots.in_use("llm") == 0


async def test_a_policy_without_limits_admits_everything():
    """Where there is neither budget nor limit every call is admitted, and still told."""
    built = Built()
    async with built.admitted(10**6, policy="questions") as one, built.admitted(10**6, policy="questions") as other:
        one.used(5)
        other.used(6)
        assert built.metric("rate_limit_concurrency_in_use", policy="questions") == 2
    assert built.metric("llm_tokens_spent_total", policy="questions") == 11


async def test_a_providers_budget_is_everybodys():
    """A provider's budget refuses whoever comes, one too large for it too: another provider may take it."""
    built = Built()
    async with built.limits.provider("first", reserve=100) as attempt:
        with pytest.raises(Overspent) as refused:
            async with built.limits.provider("first", reserve=51):
                pytest.fail("it was admitted")
        assert (refused.value.limit, refused.value.retry_after) == ("provider_budget", 2.0)
        async with built.limits.provider("second", reserve=10**6):
            pass
        attempt.used(120)
    for reserve in (31, 151):
        with pytest.raises(Overspent) as refused:
            async with built.limits.provider("first", reserve=reserve):
                pytest.fail("it was admitted")
        assert (refused.value.limit, refused.value.retry_after) == ("provider_budget", 60.0)
    assert built.metric("llm_provider_tokens_spent_total", gen_ai_provider_name="first") == 120
    assert built.metric("llm_provider_budget_decisions_total", gen_ai_provider_name="first", outcome="refused") == 3


async def test_callers_and_policies_do_not_share():
    """One caller's calls, or one policy's, never count against another's."""
    built = Built()
    async with built.admitted(100, key="a"), built.admitted(100, key="b"):
        assert (await built.refusal(1, key="a"))[0] == "tokens"


async def test_everything_bounded_exists_at_0():
    """Before the first call each policy, provider, limit and outcome has its metrics, at 0."""
    built = Built()
    for policy in POLICIES:
        for name in ("rate_limit_concurrency_in_use", "llm_tokens_reserved", "llm_tokens_spent_total"):
            assert built.metric(name, policy=policy) == 0
        for limit in ("tokens", "concurrency"):
            for outcome in ("allowed", "refused"):
                assert built.metric("llm_limit_decisions_total", policy=policy, limit=limit, outcome=outcome) == 0
    for provider in PROVIDERS:
        for name in ("llm_provider_tokens_reserved", "llm_provider_tokens_spent_total"):
            assert built.metric(name, gen_ai_provider_name=provider) == 0
        for outcome in ("allowed", "refused"):
            assert (
                built.metric("llm_provider_budget_decisions_total", gen_ai_provider_name=provider, outcome=outcome) == 0
            )


async def test_decisions_are_counted_by_limit():
    """A call counts once for each limit that judged it."""
    built = Built()
    async with built.admitted(60):
        await built.refusal(60)
        async with built.admitted(10):
            await built.refusal(1)
            assert built.metric("llm_tokens_reserved", policy="llm") == 70
    counted = {
        (limit, outcome): built.metric("llm_limit_decisions_total", policy="llm", limit=limit, outcome=outcome)
        for limit in ("tokens", "concurrency")
        for outcome in ("allowed", "refused")
    }
    assert counted == {
        ("concurrency", "allowed"): 3,
        ("concurrency", "refused"): 1,
        ("tokens", "allowed"): 2,
        ("tokens", "refused"): 1,
    }


@pytest.fixture
async def served():
    """A small application whose one route is limited, a client, and what it told."""
    app = FastAPI()
    problems.install(app)
    telemetry = instrument(app, TelemetrySettings(service_name="small"))
    recorder, metrics = Recorder(telemetry), telemetry.metrics
    policies = {"llm": Limits(tokens=100, concurrency=1)}
    metrics.allow("policy", *policies)
    limits = in_memory_llm_limits(policies, {}, metrics)

    @app.get("/letters")
    async def letters(reserve: int, again: bool = False):
        try:
            async with limits.admitted("llm", "sub:ada", reserve=reserve) as admission:
                admission.used(reserve)
                return await letters(reserve) if again else {}
        except NeverFits as error:
            raise OverTokenBudget("llm") from error
        except Overspent as error:
            raise LlmLimited("llm", error.limit, error.retry_after) from error

    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
            yield client, recorder, metrics


@pytest.mark.parametrize(
    ("params", "status", "code", "limit", "retry"),
    [
        ({"reserve": 80}, 429, "llm-limited", "tokens", "60"),
        ({"reserve": 10, "again": True}, 429, "llm-limited", "concurrency", "2"),
        ({"reserve": 101}, 422, "over-token-budget", "tokens", None),
    ],
)
async def test_a_refusal_is_a_problem_that_names_its_limit(served, params, status, code, limit, retry):
    """429 says which limit and when to come back, 422 that waiting is of no use; each is told once in the log."""
    client, recorder, _ = served
    assert (await client.get("/letters", params={"reserve": 60})).status_code == 200
    answer = await client.get("/letters", params=params)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"urn:clearstory:problem:{code}")
    assert (problem["policy"], problem["limit"], answer.headers.get("retry-after")) == ("llm", limit, retry)
    [line] = recorder.events("llm.limit.refused")
    assert (line["policy"], line["limit"], line["trace_id"]) == ("llm", limit, problem["trace_id"])


async def test_a_providers_refusal_is_told_once(served):
    """The log names the provider and what stood in the way, and nothing of the caller."""
    _, recorder, metrics = served
    limits = in_memory_llm_limits({}, {"first": Limits(tokens=10)}, metrics)
    with pytest.raises(Overspent):
        async with limits.provider("first", reserve=11):
            pytest.fail("it was admitted")
    [line] = recorder.events("llm.provider_budget.refused")
    assert (line["provider"], line["reason"]) == ("first", "too_large")


async def test_the_built_in_policies_have_these_limits():
    """The service's own settings are what the limits take."""
    metrics = Metrics(TelemetrySettings(service_name="test"))
    limits = in_memory_llm_limits(BUILT_IN, {}, metrics)
    async with limits.admitted("llm", "k", reserve=40_000):
        with pytest.raises(Overspent):
            async with limits.admitted("llm", "k", reserve=1):
                pytest.fail("it was admitted")
