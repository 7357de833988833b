"""Erasing a profile ends its briefings, and nothing of them is left in the database's files."""

import json
import sqlite3
from contextlib import closing

from service.domain.ownership import owner_of
from tests.service.briefings.conftest import BRIEFINGS
from tests.service.briefings.scripted import AGENTS

ME = "/api/v1/profiles/me"
MARKERS = (b"CV-MARKER-51f0", b"FOCUS-MARKER-51f0", b"QUERY-MARKER-51f0", b"RESULT-MARKER-51f0")
CV = {"name": "Ada", "email": "ada@example.org", "cv_content": "CV-MARKER-51f0 " * 2000}


def left_in(folder):
    """The markers that the database's files still hold."""
    content = b"".join(path.read_bytes() for path in folder.glob("clearstory.db*"))
    return [marker for marker in (*MARKERS, owner_of("alice").encode()) if marker in content]


def tables(path):
    """How many rows the tables of briefings have."""
    with closing(sqlite3.connect(path)) as reader:
        names = ("briefings", "briefing_checkpoints", "briefing_writes")
        return [reader.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names]  # noqa: S608


def scripted(model):
    """Let the model put markers into what is kept."""
    model.says("plan", json.dumps({"queries": ["QUERY-MARKER-51f0", "Berlin"]}))
    model.says("write", json.dumps({"title": "RESULT-MARKER-51f0", "summary": "s", "items": []}))


async def test_nothing_is_left_of_what_was_done(client, bob, model, settled, database_path):
    """After DELETE a finished briefing's text is in no file; somebody else's is still there."""
    of_bob = (await bob.post(BRIEFINGS)).headers["Location"]
    await settled()
    scripted(model)
    await client.put(ME, json=CV)
    await client.post(BRIEFINGS, json={"focus": "FOCUS-MARKER-51f0"})
    await settled()
    assert len(left_in(database_path.parent)) >= len(MARKERS)
    await client.delete(ME)
    assert left_in(database_path.parent) == []
    assert (await bob.get(of_bob)).json()["status"] == "done"


async def test_nothing_is_left_of_a_checkpoint(client, model, database_path):
    """What agents had kept for a restart is in no file after DELETE."""
    scripted(model)
    held = model.holds("critic")
    await client.put(ME, json=CV)
    await client.post(BRIEFINGS)
    await held.wait()
    assert tables(database_path)[:2] == [1, 1]
    assert {b"QUERY-MARKER-51f0", b"RESULT-MARKER-51f0"} <= set(left_in(database_path.parent))
    await client.delete(ME)
    assert tables(database_path) == [0, 0, 0]
    assert left_in(database_path.parent) == []


async def test_a_checkpoint_holds_no_curriculum_vitae(client, model, database_path):
    """What is kept for a restart is JSON without the CV and the adverts, one row however many agents have finished."""
    held = model.holds("critic")
    await client.put(ME, json=CV)
    await client.post(BRIEFINGS)
    await held.wait()
    with closing(sqlite3.connect(database_path)) as reader:
        [kept] = reader.execute("SELECT checkpoint FROM briefing_checkpoints").fetchall()
    state = json.loads(kept[0])["channel_values"]
    assert {"queries", "found", "ranking", "draft"} <= set(state)
    assert b"CV-MARKER" not in kept[0]
    assert b"salary" not in kept[0]


async def test_finished_checkpoints_are_deleted(client, model, settled, database_path):
    """A briefing that is done or has failed leaves its own row alone."""
    await client.post(BRIEFINGS)
    model.says("plan", "no JSON")
    await client.post(BRIEFINGS)
    await settled()
    assert tables(database_path) == [2, 0, 0]


async def test_erased_work_asks_nobody_any_more(app, client, model):
    """After DELETE no agent of the caller's begins, and no task is left."""
    held = model.holds("plan")
    await client.post(BRIEFINGS)
    await held.wait()
    await client.delete(ME)
    assert app.state.briefings._tasks == {}
    assert [model.calls[agent] for agent in AGENTS] == [1, 0, 0, 0, 0]
