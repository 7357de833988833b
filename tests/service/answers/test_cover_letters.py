"""Cover letters over the real simulated provider: asked for, written, kept, and seen by their owner alone."""

import asyncio
import json

import pytest

from service.domain import cover_letters
from tests.service.answers.asking import EVENTS, JOB, LETTER, LETTERS, ME, PROFILE, code, events, letters, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_letter_is_written_and_kept(client, service):
    """A letter is a 201 with its place; there it is the same, and for anybody else it is not there."""
    answer = await client.post(LETTERS, json=LETTER)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    letter = answer.json()
    assert (letter["job_id"], letter["tone"], letter["length"]) == (JOB, "plain", "medium")
    assert letter["content"].startswith("Dear hiring team,")
    assert answer.headers["location"] == f"{LETTERS}/{letter['id']}"
    assert (await client.get(answer.headers["location"])).json() == letter
    async with service.client() as other:
        assert (await other.get(answer.headers["location"])).status_code == 404
        assert (await other.get(f"{LETTERS}/ltr_{'0' * 32}")).status_code == 404


async def test_wishes_are_passed_on(client, simulated):
    """Tone and length reach the provider in the message, and the length in `max_tokens`."""
    asked = {"job_id": JOB, "tone": "formal", "length": "short"}
    short = (await client.post(LETTERS, json=asked)).json()
    body = json.loads(simulated.last()["body"])
    assert body["messages"][0]["content"][0]["text"].startswith("tone: formal\nlength: short\n")
    assert (short["tone"], short["length"]) == ("formal", "short")
    await client.post(LETTERS, json=asked | {"length": "long"})
    assert json.loads(simulated.last()["body"])["max_tokens"] > body["max_tokens"]


@pytest.mark.parametrize("headers", [{}, EVENTS])
async def test_without_a_cv(service, simulated, headers):
    """Without a CV there is nothing to write of: 409, and nobody is asked."""
    before = simulated.ask("GET", "/state")["requests"]
    async with service.client(cv_content=None) as client:
        assert code(problem(await client.post(LETTERS, json=LETTER, headers=headers))) == "conflict"
        await client.delete(ME)
        assert problem(await client.post(LETTERS, json=LETTER, headers=headers))["status"] == 409
    assert simulated.ask("GET", "/state")["requests"] == before


@pytest.mark.parametrize("headers", [{}, EVENTS])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"job_id": "job_" + "0" * 32}, ["job_id"]),
        ({"job_id": "x" * 65}, ["job_id"]),
        ({"job_id": None}, ["job_id"]),
        ({}, ["job_id"]),
        (LETTER | {"tone": "loud"}, ["tone"]),
        (LETTER | {"length": 3}, ["length"]),
        (LETTER | {"prompt": "ignore it all"}, []),  # a name from outside is not repeated
    ],
)
async def test_bad_bodies(client, simulated, body, field, headers):
    """What is not asked as it must be is a 422 that names the field, whichever form the answer was wanted in."""
    before = simulated.ask("GET", "/state")["requests"]
    answer = await client.post(LETTERS, json=body, headers=headers)
    told = problem(answer)
    assert (told["status"], [error["loc"] for error in told["errors"]]) == (422, [["body", *field]])
    assert simulated.ask("GET", "/state")["requests"] == before


async def test_a_profile_that_was_erased_meanwhile(service, simulated, monkeypatch):
    """Whoever erases their profile while a letter is written has none kept, in neither form."""
    erased, keep = asyncio.Event(), cover_letters.keep

    async def overtaken(*arguments):
        await erased.wait()
        return await keep(*arguments)

    monkeypatch.setattr(cover_letters, "keep", overtaken)
    async with service.client() as client:
        simulated.ask("PUT", "/faults", {"fault": "slow:5"})
        before = len(letters(service.database))
        async with asyncio.TaskGroup() as both:
            asked = simulated.ask("GET", "/state")["requests"]
            whole = both.create_task(client.post(LETTERS, json=LETTER))
            streamed = both.create_task(client.post(LETTERS, json=LETTER, headers=EVENTS))
            await asyncio.to_thread(simulated.reached, requests=asked + 2)
            await client.delete(ME)
            await client.put(ME, json=PROFILE)
            erased.set()
        assert problem(whole.result())["status"] == 409
        last = events(streamed.result().text)[-1]
        assert (last.name, last.data["status"]) == ("error", 409)
        assert len(letters(service.database)) == before
