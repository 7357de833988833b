"""Whatever a provider does, the caller is told it as a problem or one last event, and nothing is kept half."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from service.domain.cover_letters import Length
from service.llm import briefs
from service.llm.errors import TooLong
from service.llm.model import Call, Message
from service.llm.router import Deadlines
from service.llm.simulated.faults import COUNTED, LEAK, PLAIN, TIMED
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

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNAVAILABLE, REFUSED, BROKEN = "llm-unavailable", "llm-refused", "llm-broken"
# What befalls the answer: what the caller is told, how often the provider is asked, and why the last attempt failed.
EITHER = {
    "400": (REFUSED, 1, "invalid"),
    "401": (UNAVAILABLE, 1, "unauthorized"),
    "403": (UNAVAILABLE, 1, "unauthorized"),
    "413": (REFUSED, 1, "too_large"),
    "429": (UNAVAILABLE, 3, "rate_limited"),
    "500": (UNAVAILABLE, 3, "server_error"),
    "529": (UNAVAILABLE, 3, "overloaded"),
    "drop": (UNAVAILABLE, 3, "dropped"),
    "drop_after:0": (UNAVAILABLE, 3, "dropped"),
    "error_after:0": (UNAVAILABLE, 3, "overloaded"),
    "refusal": (REFUSED, 1, "refused"),
    "echo_system": (BROKEN, 1, "withheld"),
}
WHOLE = EITHER | {
    "stall": (UNAVAILABLE, 1, "timeout"),
    "malformed": (UNAVAILABLE, 3, "malformed"),
    "endless": (UNAVAILABLE, 1, "timeout"),
    "utf8": (UNAVAILABLE, 3, "malformed"),
    "error_200": (UNAVAILABLE, 3, "malformed"),
    "empty": (UNAVAILABLE, 3, "malformed"),
    "html": (UNAVAILABLE, 3, "malformed"),
    "truncated": (UNAVAILABLE, 3, "malformed"),
    "stall_after:9": (UNAVAILABLE, 1, "timeout"),
    "drop_after:9": (UNAVAILABLE, 3, "dropped"),
    "error_after:9": (UNAVAILABLE, 3, "overloaded"),
}
BEFORE = EITHER | {
    "stall": (UNAVAILABLE, 1, "first_token_timeout"),
    "stall_after:0": (UNAVAILABLE, 1, "first_token_timeout"),
    "error_200": (UNAVAILABLE, 3, "overloaded"),
    "empty": (UNAVAILABLE, 3, "dropped"),
    "html": (UNAVAILABLE, 3, "dropped"),
    # They come with the second word, when the first is still held back: nobody else is asked any more.
    "malformed": (BROKEN, 1, "malformed"),
    "utf8": (BROKEN, 1, "malformed"),
}
AFTER = {
    "stall_after:9": "timeout",
    "drop_after:9": "dropped",
    "error_after:9": "overloaded",
    "truncated": "dropped",
    "endless": "endless",
}
HARMLESS = ("tool_garbage", "first:20", "slow:1")
STATUS = {UNAVAILABLE: 503, REFUSED: 422, BROKEN: 502}
REASONS = {"invalid": "invalid", "too_large": "too_long", "refused": "refused", "withheld": "withheld"}
DECISIONS = {names.LLM_RETRY, names.LLM_FALLOVER}


@pytest.fixture(scope="module")
def environ():
    """Much time."""
    return {"LLM_FIRST_TOKEN_SECONDS": str(PATIENCE), "LLM_TOTAL_SECONDS": str(PATIENCE)}


@pytest.fixture
def hurried(service, monkeypatch):
    """Wait less long for an answer that would never come, or never end; long enough for the provider to be asked."""

    def hurry(reason):
        if reason in {"timeout", "first_token_timeout"}:
            monkeypatch.setattr(service.app.state.assistance.router, "_deadlines", Deadlines(5.0, 6.0))

    return hurry


@asynccontextmanager
async def nothing_left(service, simulated, requests, reason):
    """So many requests are made inside, and afterwards nothing is kept, held or waited for."""
    before, kept = simulated.ask("GET", "/state"), letters(service.database)
    yield
    ended = requests + before["answered"] + before["cut"] + before["cancelled"]
    state = simulated.ask("GET", "/state")
    if state["open"]:  # the provider is about to see that its client has left
        state = await asyncio.to_thread(simulated.reached, cancelled=before["cancelled"] + 1)
    assert (state["requests"] - before["requests"], state["open"]) == (requests, 0)
    assert state["answered"] + state["cut"] + state["cancelled"] == ended
    assert letters(service.database) == kept
    assert service.is_at_rest()
    (span,) = service.call_spans()
    assert span.attributes["error.type"]
    told = [event for event in span.events if event.name not in DECISIONS]
    assert [event.attributes[names.ATTR_LLM_REASON] for event in told] == [reason] * requests
    assert len(span.events) == 2 * requests - 1
    assert len(service.recorder.server_spans()) == 1


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        *((LETTERS, LETTER, word) for word in WHOLE),
        *((QUESTIONS, QUESTION, word) for word in ("413", "529", "utf8", "refusal", "echo_system", "stall")),
    ],
)
async def test_an_answer_that_comes_at_once(client, service, simulated, hurried, path, body, word):
    """Each fault is one problem of a known type, after a bounded number of tries."""
    slug, requests, reason = WHOLE[word]
    hurried(reason)
    simulated.ask("PUT", "/faults", {"fault": word})
    service.recorder.clear()
    async with nothing_left(service, simulated, requests, reason):
        answer = await client.post(path, json=body)
    told = problem(answer)
    assert (code(told), told["status"], told.get("reason")) == (slug, STATUS[slug], REASONS.get(reason))
    assert ("retry-after" in answer.headers) == (slug == UNAVAILABLE)


@pytest.mark.parametrize("word", BEFORE)
async def test_a_stream_before_its_first_word(client, service, simulated, hurried, word):
    """A stream that does not begin is a problem with a status of its own, as if it had been no stream."""
    slug, requests, reason = BEFORE[word]
    hurried(reason)
    simulated.ask("PUT", "/faults", {"fault": word})
    service.recorder.clear()
    async with nothing_left(service, simulated, requests, reason):
        answer = await client.post(LETTERS, json=LETTER, headers=EVENTS)
    told = problem(answer)
    assert (code(told), told["status"]) == (slug, STATUS[slug])


@pytest.mark.parametrize("word", AFTER)
async def test_a_stream_after_its_first_word(client, service, simulated, hurried, word):
    """A stream that breaks off ends in one `error` event; nobody is asked again, and what was said was the letter's."""
    whole = (await client.post(LETTERS, json=LETTER)).json()["content"]
    hurried(AFTER[word])
    simulated.ask("PUT", "/faults", {"fault": word})
    service.recorder.clear()
    async with nothing_left(service, simulated, 1, AFTER[word]):
        answer = await client.post(LETTERS, json=LETTER, headers=EVENTS)
    assert answer.status_code == 200
    *tokens, last = events(answer.text)
    assert {event.name for event in tokens} == {"token"}
    assert (last.name, code(last.data), last.data["reason"]) == ("error", BROKEN, "interrupted")
    assert last.data["trace_id"] in answer.headers["traceresponse"]
    assert last.data["request_id"] == answer.headers["x-request-id"]
    assert said(tokens)
    assert word == "endless" or whole.startswith(said(tokens))
    (event,) = service.recorder.events("llm.answer.broken")
    assert (event["problem"], event["trace_id"]) == (BROKEN, last.data["trace_id"])
    (access,) = service.recorder.events("http.request.completed")
    (span,) = service.recorder.server_spans()
    assert access["error_type"] == span.attributes["error.type"] == BROKEN
    assert span.status.status_code.name == "ERROR"


@pytest.mark.parametrize("headers", [{}, EVENTS], ids=["whole", "streamed"])
@pytest.mark.parametrize("word", ["stall", "stall_after:0", "stall_after:1"])
async def test_the_time_is_over_before_the_first_word(client, service, simulated, monkeypatch, word, headers):
    """While nothing has been shown the end of all time is a 503 that says when to come back, streamed or not."""
    monkeypatch.setattr(service.app.state.assistance.router, "_deadlines", Deadlines(PATIENCE, 3.0))
    simulated.ask("PUT", "/faults", {"fault": word})
    answer = await client.post(LETTERS, json=LETTER, headers=headers)
    assert (code(problem(answer)), answer.headers.get("retry-after")) == (UNAVAILABLE, "5")
    assert service.is_at_rest()


@pytest.mark.parametrize("headers", [{}, EVENTS])
@pytest.mark.parametrize("word", HARMLESS)
async def test_what_is_no_fault_of_an_answer(client, service, simulated, word, headers):
    """A provider that takes its time, within the deadline, is waited for."""
    simulated.ask("PUT", "/faults", {"fault": word})
    answer = await client.post(LETTERS, json=LETTER, headers=headers)
    assert answer.status_code == (200 if headers else 201)
    assert service.is_at_rest()


async def test_every_fault_is_tested():
    """There is no word that the simulated provider knows and that is not here; `leak` has tests of its own."""
    tested = {word.partition(":")[0] for word in (*WHOLE, *BEFORE, *AFTER, *HARMLESS)}
    assert tested == {*PLAIN, *COUNTED, *TIMED, LEAK} - {LEAK}


@pytest.mark.parametrize("headers", [{}, EVENTS])
async def test_half_a_letter_is_none(client, service, simulated, headers, monkeypatch):
    """An answer that ends where `max_tokens` are used up is not kept; the span says why it ended."""
    monkeypatch.setitem(briefs._MOST_TOKENS, Length.SHORT, 30)
    kept = letters(service.database)
    answer = await client.post(LETTERS, json=LETTER | {"length": "short"}, headers=headers)
    told = events(answer.text)[-1].data if headers else problem(answer)
    assert (code(told), told["reason"], told["status"]) == (BROKEN, "interrupted", 502)
    assert letters(service.database) == kept
    assert service.is_at_rest()
    (span,) = service.call_spans()
    assert span.attributes[names.ATTR_GENAI_FINISH_REASONS] == ("max_tokens",)


async def test_a_prompt_over_the_window(service, simulated):
    """What does not fit the model's window is the call's own fault: said at once, in a kind of its own."""
    before = simulated.ask("GET", "/state")["requests"]
    ours = service.app.state.assistance
    call = Call(ours.prompts[briefs.QUESTION], (Message("user", "word " * 200_000),), max_tokens=10, user="somebody")
    with pytest.raises(TooLong):
        await ours.router.complete(call)
    assert simulated.ask("GET", "/state")["requests"] == before + 1
    assert service.call_spans()[0].attributes["error.type"] == "too_long"
