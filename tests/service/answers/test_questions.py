"""Questions about the caller's profile, over the real simulated provider."""

import json

import pytest

from tests.service.answers.asking import CV, EVENTS, ME, QUESTION, QUESTIONS, code, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_question_is_answered(client, simulated):
    """The answer is a 200, and has its own id, model and prompt version; the CV and the question stand in tags."""
    answer = await client.post(QUESTIONS, json=QUESTION)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    told = answer.json()
    assert set(told) == {"id", "answer", "model", "prompt_version"}
    assert told["answer"]
    text = json.loads(simulated.last()["body"])["messages"][0]["content"][0]["text"]
    assert f"<untrusted question>\n{QUESTION['question']}\n</untrusted question>" in text
    assert f"<untrusted curriculum-vitae>\n{CV}\n</untrusted curriculum-vitae>" in text


async def test_an_answer_has_one_form(client):
    """A question is answered as JSON, whatever else is accepted."""
    answer = await client.post(QUESTIONS, json=QUESTION, headers=EVENTS)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


async def test_without_a_cv(service, simulated):
    """Without a CV, or without a profile, there is nothing to ask about: 409, and nobody is asked."""
    before = simulated.ask("GET", "/state")["requests"]
    async with service.client(cv_content=None) as client:
        assert code(problem(await client.post(QUESTIONS, json=QUESTION))) == "conflict"
        await client.delete(ME)
        assert problem(await client.post(QUESTIONS, json=QUESTION))["status"] == 409
    assert simulated.ask("GET", "/state")["requests"] == before


@pytest.mark.parametrize(
    "body",
    [{}, {"question": ""}, {"question": "x" * 2001}, {"question": "a\0b"}, {"question": 5}, QUESTION | {"job_id": "x"}],
)
async def test_bad_bodies(client, body):
    """What is not asked as it must be is a 422."""
    assert problem(await client.post(QUESTIONS, json=body))["status"] == 422
