"""A briefing outlives its process: it goes on where it was, once, in the trace that its 202 named."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import pytest

from service.briefings import checkpoints
from service.database import patience
from service.domain import briefings
from service.domain.briefings import Superseded
from service.errors import Unavailable
from telemetry.testing import Recorder
from tests.service.briefings.conftest import BRIEFINGS, until_settled
from tests.service.briefings.scripted import AGENTS, Scripted

both = pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
ROOT = Path(__file__).resolve().parents[3]


def spans_of(recorder: Recorder, trace_id: str) -> dict[str, list]:
    """The spans of a trace by their names."""
    found: dict[str, list] = {}
    for span in recorder.spans:
        if f"{span.context.trace_id:032x}" == trace_id:
            found.setdefault(span.name, []).append(span)
    return found


async def test_one_trace(client, recorder, settled):
    """The server span, the briefing, its agents and their tools are one trace, each under the one before it."""
    trace_id = (await client.post(BRIEFINGS)).json()["trace_id"]
    await settled()
    spans = spans_of(recorder, trace_id)
    server, briefing = spans[f"POST {BRIEFINGS}"][0], spans["briefing"][0]
    assert briefing.parent.span_id == server.context.span_id
    for agent in AGENTS:
        [span] = spans[f"invoke_agent {agent}"]
        assert span.parent.span_id == briefing.context.span_id
        assert dict(span.attributes) == {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent}
    for tool in spans["execute_tool search_jobs"]:
        assert tool.parent.span_id == spans["invoke_agent search"][0].context.span_id
        assert tool.attributes["gen_ai.tool.call.id"].startswith("toolu_")
    assert len(spans["execute_tool search_jobs"]) == 2


async def test_lines_of_the_background_are_the_requests(client, model, recorder, settled):
    """What the background logs has the trace and the id of the request."""
    model.says("plan", "no JSON")
    answer = await client.post(BRIEFINGS)
    await settled()
    [line] = recorder.events("briefing.failed")
    assert line["trace_id"] == answer.json()["trace_id"]
    assert line["request_id"] == answer.headers["X-Request-ID"]


@both
@pytest.mark.parametrize("agent", AGENTS)
async def test_a_stop_interrupts_and_a_start_goes_on(second_start, agent):
    """Stopped in any agent, it is done after the next start; no finished agent is asked again; one trace."""
    first, second = Scripted(), Scripted()
    async with second_start(first) as (_, client, before):
        held = first.holds(agent)
        begun = (await client.post(BRIEFINGS)).json()
        await held.wait()
    async with second_start(second) as (app, client, after):
        await until_settled(app)
        done = (await client.get(f"{BRIEFINGS}/{begun['id']}")).json()
        assert after.events("briefings.resumed")[0]["count"] == 1
    assert (done["status"], done["trace_id"]) == ("done", begun["trace_id"])
    finished = AGENTS[: AGENTS.index(agent)]
    assert [name for name in finished if second.calls[name]] == []
    assert all(first.calls[name] for name in finished)
    [server] = spans_of(before, begun["trace_id"])[f"POST {BRIEFINGS}"]
    [resumed] = spans_of(after, begun["trace_id"])["briefing"]
    assert resumed.parent.span_id == server.context.span_id


async def test_a_killed_process(second_start, tmp_path):
    """Killed in the middle, it is finished by the next process, which asks no finished agent again."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path), "JWT_SECRET": "s" * 64}
    script = Path(__file__).with_name("killed_service.py")
    process = await asyncio.create_subprocess_exec(sys.executable, script, env=environ, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(60):
        told = json.loads(await process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    assert Counter(told["calls"]) == {"plan": 1, "search": 2, "rank": 1}
    model = Scripted()
    async with second_start(model) as (app, client, recorder):
        await until_settled(app)
        done = (await client.get(f"{BRIEFINGS}/{told['id']}")).json()
    assert (done["status"], len(done["result"]["items"])) == ("done", 3)
    assert model.calls == {"rank": 1, "write": 1, "critic": 1}
    assert "invoke_agent write" in spans_of(recorder, told["trace_id"])


async def test_a_busy_database_only_delays(app, client, model, settled, monkeypatch):
    """While the database refuses, the work waits; then it goes on, and no finished agent is asked again."""
    monkeypatch.setattr(patience, "_PAUSES", (0.01,))
    refused = iter([True] * 3)
    finish = briefings.finish

    async def fail_at_first(*arguments):
        if next(refused, False):
            raise Unavailable
        await finish(*arguments)

    monkeypatch.setattr(briefings, "finish", fail_at_first)
    location = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    assert (await client.get(location)).json()["status"] == "done"
    assert model.calls == {"plan": 1, "search": 2, "rank": 1, "write": 1, "critic": 1}


async def test_a_busy_database_between_agents(app, client, model, settled, monkeypatch):
    """What an agent has said is kept although the database refuses at first: no agent is asked again."""
    monkeypatch.setattr(patience, "_PAUSES", (0.01,))
    refused, hold = cycle([True, False]), checkpoints.hold

    async def hold_at_last(*arguments):
        if next(refused):
            raise Unavailable
        await hold(*arguments)

    monkeypatch.setattr(checkpoints, "hold", hold_at_last)
    location = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    assert (await client.get(location)).json()["status"] == "done"
    assert model.calls == {"plan": 1, "search": 2, "rank": 1, "write": 1, "critic": 1}


@both
async def test_one_worker_gets_it(database, app, client, model):
    """Of many that take the same attempt up, one gets it; who was overtaken can write nothing any more."""
    held = model.holds("plan")
    made = (await client.post(BRIEFINGS)).json()
    await held.wait()
    now = datetime.now(UTC)
    taken = await asyncio.gather(*(briefings.take_up(database, made["id"], 1, now) for _ in range(10)))
    [winner] = [one for one in taken if one is not None]
    assert winner.attempt == 2
    [task] = app.state.briefings._tasks.values()
    task.cancel()
    for act in (
        briefings.finish(database, _earlier(winner), {}, now),
        briefings.fail(database, _earlier(winner), "internal", now),
    ):
        with pytest.raises(Superseded):
            await act
    assert (await client.get(f"{BRIEFINGS}/{made['id']}")).json()["status"] == "running"


def _earlier(taken):
    return briefings.Taken(taken.id, taken.attempt - 1, taken.draft)


async def test_an_overtaken_worker_ends_quietly(database, app, client, model, settled, recorder):
    """A worker whose briefing is somebody else's stops at its next checkpoint and says nothing."""

    async def overtake(_):
        [made] = app.state.briefings._tasks
        assert await briefings.take_up(database, made, 1, datetime.now(UTC)) is not None

    model.hooks["rank"] = overtake
    location = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    assert (await client.get(location)).json()["status"] == "running"
    assert (model.calls["write"], recorder.events("briefing.failed")) == (0, [])


async def test_it_is_not_tried_for_ever(second_start):
    """What was begun five times and never ended is given up."""
    made = {}
    for _ in range(5):
        model = Scripted()
        held = model.holds("plan")
        async with second_start(model) as (_, client, _):
            made = made or (await client.post(BRIEFINGS)).json()
            await held.wait()
    async with second_start(Scripted()) as (app, client, _):
        await until_settled(app)
        assert (await client.get(f"{BRIEFINGS}/{made['id']}")).json()["reason"] == "given_up"
