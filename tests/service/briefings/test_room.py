"""There are so many briefings at a time, and what does not fit is refused with its reason."""

import asyncio

from service.briefings import runner
from tests.patience import until
from tests.service.briefings.conftest import BRIEFINGS


async def test_so_many_of_one_caller(client, bob, model, settled, database):
    """A caller's fifth unfinished briefing is a 429 that says when to come back; somebody else's is taken."""
    model.holds("plan")
    for _ in range(runner.UNFINISHED_OF_ONE):
        assert (await client.post(BRIEFINGS)).status_code == 202
    refused = await client.post(BRIEFINGS)
    assert refused.status_code == 429
    assert refused.json()["type"] == "urn:clearstory:problem:too-many-unfinished"
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await bob.post(BRIEFINGS)).status_code == 202


async def test_no_room_to_wait(app, client_of, model, monkeypatch):
    """Over the number that may be unfinished a request is a 503 with `Retry-After`, and nothing is kept of it."""
    monkeypatch.setattr(runner, "UNFINISHED", 6)
    model.holds("plan")
    answers = []
    for number in range(7):
        async with client_of(f"caller-{number}") as client:
            answers.append(await client.post(BRIEFINGS))
    assert [answer.status_code for answer in answers] == [202] * 6 + [503]
    assert "Retry-After" in answers[-1].headers


async def test_so_many_at_once(app, client_of, model, recorder):
    """Eight are worked on, the others wait; all of them are done in the end."""
    gate = asyncio.Event()
    at_work = most = 0

    async def work(_):
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await gate.wait()
        at_work -= 1

    model.hooks["plan"] = work
    for number in range(runner.AT_A_TIME + 3):
        async with client_of(f"caller-{number}") as client:
            await client.post(BRIEFINGS)
    await until(lambda: model.calls["plan"] >= runner.AT_A_TIME)
    assert recorder.metric("briefings_unfinished", briefing_state="running") == runner.AT_A_TIME
    assert recorder.metric("briefings_unfinished", briefing_state="queued") == 3
    gate.set()
    await asyncio.gather(*app.state.briefings._tasks.values())
    assert most == runner.AT_A_TIME
    assert recorder.metric("briefings_finished_total", briefing_outcome="done") == runner.AT_A_TIME + 3
    assert app.state.briefings._owners == {}


async def test_one_caller_takes_one_place(client, bob, model, settled):
    """What waits behind a caller's own work, or for their limits, is in nobody else's way."""
    model.holds("plan")
    for _ in range(runner.UNFINISHED_OF_ONE):
        await client.post(BRIEFINGS)
    await bob.post(BRIEFINGS)
    await until(lambda: model.calls["plan"] >= 2)
    await asyncio.sleep(0)
    assert model.calls["plan"] == 2


async def test_room_is_given_back(client, model, settled):
    """However a briefing ends, its caller may ask for another."""
    model.says("plan", "no JSON")
    for _ in range(runner.UNFINISHED_OF_ONE + 1):
        assert (await client.post(BRIEFINGS)).status_code == 202
        await settled()
