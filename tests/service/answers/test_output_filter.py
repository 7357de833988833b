"""What a model must not say: others' addresses and numbers are replaced, and a canary ends the answer."""

import base64

import pytest

from service.llm.briefs import COVER_LETTER
from service.llm.briefs import QUESTION as QUESTION_PROMPT
from telemetry import names
from tests.service.answers.asking import (
    CV,
    EVENTS,
    LETTER,
    LETTERS,
    PROFILE,
    QUESTION,
    QUESTIONS,
    code,
    events,
    letters,
    problem,
    said,
)  # fmt: skip

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOREIGN = {
    "email": "bob.miller@example.com",
    "phone": "+49 30 901820 55",
    "credit_card": "4111 1111 1111 1111",
    "iban": "GB29 NWBK 6016 1331 9268 19",
    "us_ssn": "SSN 536-22-1234",
    "api_key": "sk-ant-api03-" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9v",
}


def leak(text):
    """The fault that puts a text into the middle of the answer."""
    return {"fault": "leak:" + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")}


@pytest.mark.parametrize("kind", FOREIGN)
async def test_somebody_else_s_is_replaced(client, service, simulated, kind):
    """In JSON, in the stream and in what is kept a placeholder stands for it, and the rest is as it was."""
    simulated.ask("PUT", "/faults", leak(FOREIGN[kind]))
    whole = (await client.post(LETTERS, json=LETTER)).json()["content"]
    stream = events((await client.post(LETTERS, json=LETTER, headers=EVENTS)).text)
    answer = (await client.post(QUESTIONS, json=QUESTION)).json()["answer"]
    assert whole == said(stream) == stream[-1].data["content"]
    assert letters(service.database)[-2:] == [whole, whole]
    value = FOREIGN[kind].removeprefix("SSN ")
    for text in (whole, answer):
        assert f"[REDACTED:{kind}]" in text
        assert not any(part in text for part in value.split() if len(part) > 3)
    simulated.ask("PUT", "/faults", {"fault": None})
    clean = (await client.post(LETTERS, json=LETTER)).json()["content"]
    before, _, behind = whole.partition("SSN [REDACTED:us_ssn] " if kind == "us_ssn" else f"[REDACTED:{kind}] ")
    assert before + behind == clean


@pytest.mark.parametrize("headers", [{}, EVENTS])
@pytest.mark.parametrize(
    "own", [PROFILE["email"], "Ada@Example.org", PROFILE["phone"], "ada.private@example.net", "+44 (0)20 7946 0999"]
)
async def test_one_s_own_is_not(service, simulated, own, headers):
    """What stands in the caller's own profile or CV is said, however it is spelled."""
    simulated.ask("PUT", "/faults", leak(own))
    async with service.client(cv_content=f"{CV} ada.private@example.net, +44 (0)20 7946 0999") as client:
        answer = await client.post(LETTERS, json=LETTER, headers=headers)
    content = events(answer.text)[-1].data["content"] if headers else answer.json()["content"]
    assert own in content
    assert "[REDACTED" not in content


async def test_one_caller_s_is_not_another_s(service, simulated):
    """An address is let through to its owner alone."""
    simulated.ask("PUT", "/faults", leak("grace@example.org"))
    async with service.client(email="grace@example.org") as grace, service.client() as ada:
        assert "grace@example.org" in (await grace.post(QUESTIONS, json=QUESTION)).json()["answer"]
        assert "[REDACTED:email]" in (await ada.post(QUESTIONS, json=QUESTION)).json()["answer"]


def canary(service, prompt):
    """The canary of a prompt."""
    ours = service.app.state.assistance
    return ours.canaries.of(ours.prompts[prompt])


@pytest.mark.parametrize("spelled", [str, str.upper, "-".join, " ".join])
async def test_a_canary_ends_an_answer(client, service, simulated, spelled):
    """A canary, also spelled out, is a 502 that says so; nothing is kept, and the span has one event of it."""
    for path, body, prompt in ((LETTERS, LETTER, COVER_LETTER), (QUESTIONS, QUESTION, QUESTION_PROMPT)):
        simulated.ask("PUT", "/faults", leak(spelled(canary(service, prompt))))
        kept = letters(service.database)
        service.recorder.clear()
        told = problem(await client.post(path, json=body))
        assert (code(told), told["status"], told["reason"]) == ("llm-broken", 502, "withheld")
        assert letters(service.database) == kept
        (span,) = service.call_spans()
        assert span.attributes["error.type"] == "withheld"
        assert span.attributes["gen_ai.usage.output_tokens"] > 0
        assert [event.name for event in span.events] == [names.LLM_WITHHELD]
    assert service.is_at_rest()


@pytest.mark.parametrize("spelled", [str, " ".join])
async def test_a_canary_ends_a_stream(client, service, simulated, spelled):
    """In a stream one `error` event is the last, nothing of the canary was sent, and nothing is kept."""
    secret = canary(service, COVER_LETTER)
    simulated.ask("PUT", "/faults", leak(spelled(secret)))
    kept = letters(service.database)
    service.recorder.clear()
    answer = await client.post(LETTERS, json=LETTER, headers=EVENTS)
    *tokens, last = events(answer.text)
    assert {event.name for event in tokens} == {"token"}
    assert (last.name, code(last.data), last.data["reason"]) == ("error", "llm-broken", "withheld")
    assert secret[:3] not in said(tokens).replace(" ", "")
    assert letters(service.database) == kept
    (span,) = service.call_spans()
    assert (span.attributes["error.type"], [event.name for event in span.events]) == ("withheld", [names.LLM_WITHHELD])
    assert service.is_at_rest()
    simulated.ask("GET", "/state")


async def test_nothing_withheld_is_told_anywhere(client, service, simulated):
    """Neither a log line nor a span nor a metric has the canary or what was replaced."""
    secret = canary(service, COVER_LETTER)
    service.recorder.clear()
    for text in (secret, FOREIGN["email"]):
        simulated.ask("PUT", "/faults", leak(text))
        for headers in ({}, EVENTS):
            await client.post(LETTERS, json=LETTER, headers=headers)
    told = b"".join(service.recorder.raw_lines).decode() + "".join(span.to_json() for span in service.recorder.spans)
    assert secret not in told
    assert FOREIGN["email"] not in told
