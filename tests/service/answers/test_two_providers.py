"""Two providers, the first of which fails: the second answers, once, and in time."""

import asyncio
import json
import time

import pytest
import pytest_asyncio

from service.llm.breaker import FAILURES
from service.llm.router import Deadlines
from telemetry import names
from tests.patience import PATIENCE
from tests.service.answers.asking import (
    EVENTS,
    LETTER,
    LETTERS,
    QUESTION,
    QUESTIONS,
    code,
    events,
    letters,
    problem,
    said,
)
from tests.service.answers.running import Service, started
from tests.service.llm.simulated.process import provider

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Each way of the first to fail, and why it is left; what it says after its own tries counts, so one reason each.
WHOLE = {
    "401": "unauthorized",
    "403": "unauthorized",
    "429": "rate_limited",
    "500": "server_error",
    "529": "overloaded",
    "stall": "timeout",
    "drop": "dropped",
    "malformed": "malformed",
    "endless": "timeout",
    "utf8": "malformed",
    "error_200": "malformed",
    "empty": "malformed",
    "html": "malformed",
    "truncated": "malformed",
    "refusal": "refused",
    "echo_system": "withheld",
    "stall_after:5": "timeout",
    "drop_after:5": "dropped",
    "error_after:5": "overloaded",
}
STREAMED = {word: WHOLE[word] for word in ("401", "403", "429", "500", "529", "drop", "refusal")} | {
    "stall": "first_token_timeout",
    "stall_after:0": "first_token_timeout",
    "drop_after:0": "dropped",
    "error_after:0": "overloaded",
    "error_200": "overloaded",
    "empty": "dropped",
    "html": "dropped",
}


@pytest.fixture(scope="module")
def first():
    """The provider that fails."""
    with provider("--keep-bodies", "--seed", "1", "--retry-after", "0") as running:
        yield running


@pytest.fixture(scope="module")
def second():
    """The one that does not; what it writes is not what the first one would."""
    with provider("--keep-bodies", "--seed", "2", "--retry-after", "0") as running:
        yield running


def both(first, second):
    """Settings with the two."""
    return {
        "LLM_PROVIDER": "anthropic,openrouter",
        "ANTHROPIC_BASE_URL": first.url,
        "OPENROUTER_BASE_URL": second.url,
        "ANTHROPIC_API_KEY": "sk-ant-first",
        "OPENROUTER_API_KEY": "sk-or-second",
        "LLM_TOTAL_SECONDS": str(PATIENCE),
        "LLM_FIRST_TOKEN_SECONDS": str(PATIENCE),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running_service(tmp_path_factory, first, second):
    """One application for the module."""
    async with started(tmp_path_factory.mktemp("service"), **both(first, second)) as service:
        yield service


@pytest.fixture
def hurried(service, monkeypatch):
    """Let a provider that never answers take less of the time: half of what there is is each one's share."""

    def hurry(reason):
        if reason in {"timeout", "first_token_timeout"}:
            monkeypatch.setattr(service.app.state.assistance.router, "_deadlines", Deadlines(5.0, 10.0))

    return hurry


@pytest.fixture
def fails(first, service):
    """Say how the first one fails."""

    def fail(word):
        first.ask("PUT", "/faults", {"fault": word})
        service.close_breakers()
        service.recorder.clear()

    fail(None)
    return fail


@pytest_asyncio.fixture(loop_scope="module")
async def client(service):
    """Somebody with a profile."""
    async with service.client() as client:
        yield client


def requests(provider):
    """How many requests it has had."""
    return provider.ask("GET", "/state")["requests"]


def left_for(service: Service, reason: str) -> None:
    """There is one span; it says that the second answered, and why the first was left."""
    (span,) = service.call_spans()
    assert span.attributes[names.ATTR_GENAI_PROVIDER] == "openrouter"
    assert "error.type" not in span.attributes
    (event,) = [event for event in span.events if event.name == names.LLM_FALLOVER]
    told = {names.ATTR_LLM_FROM: "anthropic", names.ATTR_LLM_TO: "openrouter", names.ATTR_LLM_REASON: reason}
    assert dict(event.attributes) == told


@pytest.mark.parametrize("word", WHOLE)
async def test_the_second_answers_in_time(client, service, first, second, fails, hurried, word):
    """Whatever the first does but 400 and 413, the caller has the second's answer, one, within the deadline."""
    fails(word)
    asked, kept = (requests(first), requests(second)), letters(service.database)
    hurried(WHOLE[word])
    answer = await client.post(LETTERS, json=LETTER)
    assert answer.status_code == 201
    assert 1 <= requests(first) - asked[0] <= 3
    assert requests(second) - asked[1] == 1
    assert letters(service.database) == [*kept, answer.json()["content"]]
    assert answer.json()["model"] == "anthropic/claude-sonnet-5.5"
    left_for(service, WHOLE[word])
    assert service.is_at_rest()


@pytest.mark.parametrize("word", STREAMED)
async def test_a_stream_that_has_not_begun_is_the_second_s(client, service, first, second, fails, hurried, word):
    """A stream that fails before its first word comes from the second, whole."""
    fails(word)
    asked, kept = (requests(first), requests(second)), letters(service.database)
    hurried(STREAMED[word])
    stream = events((await client.post(LETTERS, json=LETTER, headers=EVENTS)).text)
    assert (stream[-1].name, stream[-1].data["content"]) == ("done", said(stream))
    assert 1 <= requests(first) - asked[0] <= 3
    assert requests(second) - asked[1] == 1
    assert letters(service.database) == [*kept, said(stream)]
    left_for(service, STREAMED[word])


@pytest.mark.parametrize("word", ["drop_after:5", "error_after:5", "truncated"])
async def test_a_stream_that_has_begun_stays_with_whom_it_began(client, service, second, fails, word):
    """After the first word nobody else is asked: it would be said twice."""
    fails(word)
    asked = requests(second)
    stream = events((await client.post(LETTERS, json=LETTER, headers=EVENTS)).text)
    assert [event.name for event in stream].count("error") == 1
    assert (stream[-1].name, code(stream[-1].data)) == ("error", "llm-broken")
    assert requests(second) == asked


@pytest.mark.parametrize(("word", "reason"), [("400", "invalid"), ("413", "too_long")])
@pytest.mark.parametrize("headers", [{}, EVENTS])
async def test_the_request_s_own_fault(client, first, second, fails, word, reason, headers):
    """A 400 or a 413 is said at once: the first is asked once, and the second never."""
    fails(word)
    asked = requests(first), requests(second)
    told = problem(await client.post(LETTERS, json=LETTER, headers=headers))
    assert (code(told), told["status"], told["reason"]) == ("llm-refused", 422, reason)
    assert (requests(first) - asked[0], requests(second) - asked[1]) == (1, 0)


async def test_whoever_says_when_to_come_back_is_not_asked_before(tmp_path, second):
    """`Retry-After` is waited for where there is time; where there is not, the next one is asked at once."""
    with (
        provider("--retry-after", "1", "--fault", "429") as patient,
        provider("--retry-after", "60", "--fault", "529") as slow,
    ):
        for first, tries, least in ((patient, 3, 2.0), (slow, 1, 0.0)):
            environ = both(first, second) | {"LLM_TOTAL_SECONDS": "55"}
            async with started(tmp_path / str(tries), **environ) as service, service.client() as client:
                begun = time.monotonic()
                assert (await client.post(QUESTIONS, json=QUESTION)).status_code == 200
                assert time.monotonic() - begun >= least
                assert requests(first) == tries
                (span,) = service.call_spans()
                delays = [e.attributes[names.ATTR_LLM_DELAY] for e in span.events if e.name == names.LLM_RETRY]
                assert all(delay >= 1.0 for delay in delays)


async def test_when_nobody_answers_the_caller_is_told_when(service, second, fails):
    """Where all have failed, the caller gets one 503 with the wait that the providers asked for."""
    fails("500")
    second.ask("PUT", "/faults", {"fault": "529"})
    try:
        async with service.client() as client:
            answer = await client.post(LETTERS, json=LETTER)
    finally:
        second.ask("PUT", "/faults", {"fault": None})
    assert (code(problem(answer)), answer.headers["retry-after"]) == ("llm-unavailable", "1")
    (span,) = service.call_spans()
    assert span.attributes["error.type"] == "unavailable"


async def test_a_breaker_opens_and_closes(client, service, first, fails, monkeypatch):
    """After some failures in a row the first is left alone, and is asked again, by one call, after a rest."""

    def is_open():
        return service.metric("gen_ai_client_breaker_open", gen_ai_provider_name="anthropic")

    breaker = service.app.state.assistance.router._breakers["anthropic"]
    now = [100.0]
    monkeypatch.setattr(breaker, "_clock", lambda: now[0])
    fails("500")
    assert is_open() == 0
    for _ in range(2):
        await client.post(LETTERS, json=LETTER)
    assert is_open() == 1
    assert requests(first) >= FAILURES
    asked = requests(first)
    service.recorder.clear()
    assert (await client.post(LETTERS, json=LETTER)).status_code == 201
    assert requests(first) == asked
    (span,) = service.call_spans()
    assert [event.name for event in span.events] == [names.LLM_BREAKER_OPEN, names.LLM_FALLOVER]
    assert 2.5 <= breaker.rests_for() <= 5
    now[0] += 5  # the rest is over
    first.ask("PUT", "/faults", {"fault": None})
    assert (await client.post(LETTERS, json=LETTER)).json()["model"] == "claude-sonnet-5-5"
    assert (is_open(), requests(first)) == (0, asked + 1)


async def test_a_long_retry_after_is_no_long_silence(tmp_path, monkeypatch):
    """Who was asked for is told what the provider says; the provider is asked again within a minute, by one call."""
    with provider("--retry-after", "3600", "--fault", "429") as only:
        async with started(tmp_path, SIMULATED_PROVIDER_URL=only.url) as service, service.client() as client:
            breaker, now = service.app.state.assistance.router._breakers["simulated"], [100.0]
            monkeypatch.setattr(breaker, "_clock", lambda: now[0])

            async def asked():
                answer = await client.post(QUESTIONS, json=QUESTION)
                return answer.status_code, int(answer.headers.get("retry-after", "0"))

            assert [await asked() for _ in range(FAILURES)] == [(503, 3600)] * FAILURES
            status, wait = await asked()
            assert (status, requests(only)) == (503, FAILURES)
            assert wait <= 60
            now[0] += 60
            assert (503, 3600) in await asyncio.gather(asked(), asked())
            assert requests(only) == FAILURES + 1
            now[0] += 60
            only.ask("PUT", "/faults", {"fault": None})
            assert (await asked())[0] == 200


async def test_each_is_sent_its_own_key_and_model(client, first, second, fails):
    """What differs between the two is the credential, which the ledger does not show, and the model's name."""
    fails("401")
    await client.post(QUESTIONS, json=QUESTION)
    one, other = (json.loads(each.last()["body"]) for each in (first, second))
    assert (one.pop("model"), other.pop("model")) == ("claude-sonnet-5-5", "anthropic/claude-sonnet-5.5")
    assert one == other
