"""DELETE /profiles/me leaves nothing of its caller, not even in the database's files."""

import asyncio
import base64
import sqlite3
from contextlib import closing

import pytest

from service.domain import cover_letters
from service.domain.catalogue import catalogue
from service.domain.ownership import owner_of
from tests.leaks.assisted import BRIEFINGS, EVENTS, LETTERS, QUESTIONS, UNLIMITED
from tests.patience import until
from tests.service.briefings.conftest import until_settled
from tests.service.llm.simulated.process import provider

ME = "/api/v1/profiles/me"
APPLICATIONS = "/api/v1/applications"
JOB = next(catalogue()).id
MARKERS = (b"Zaphod-8d21", b"zaphod-8d21@example.org", b"+44-8d21", b"CV-MARKER-8d21", b"NOTE-MARKER-8d21")
WRITTEN = (b"LETTER-MARKER-8d21", b"FOCUS-MARKER-8d21", b"ASKED-MARKER-8d21")
FORMS = pytest.mark.parametrize("accept", [{}, EVENTS])


@pytest.fixture(scope="module")
def simulated():
    """A provider that answers at once, unless it is told otherwise."""
    with provider() as running:
        yield running


@pytest.fixture
def settings(settings, simulated):
    """Settings of a service that asks it."""

    def make(**environ):
        return settings(SIMULATED_PROVIDER_URL=simulated.url, RATE_LIMITS=UNLIMITED, **environ)

    return make


def suffer(simulated, *faults):
    """Let these befall the provider's answers; every letter says what is looked for."""
    leak = base64.urlsafe_b64encode(WRITTEN[0]).decode().rstrip("=")
    simulated.ask("PUT", "/faults", {"fault": ",".join((f"leak:{leak}", *faults))})


async def asked(simulated, more):
    """Wait until the provider has been asked so many times more than now; gives nothing before."""
    until = simulated.ask("GET", "/state")["requests"] + more
    return await asyncio.to_thread(simulated.reached, requests=until)


def left_in(folder):
    """The markers that the database's files still hold, the lock's and the logs' included."""
    content = b"".join(path.read_bytes() for path in folder.glob("clearstory.db*"))
    return [marker for marker in (*MARKERS, *WRITTEN, owner_of("alice").encode()) if marker in content]


async def fill(client):
    """A profile that was rewritten, applications, a keyed request: every kind of row, over many pages."""
    for cv in ("CV-MARKER-8d21 " * 12_000, "CV-MARKER-8d21 short", "CV-MARKER-8d21 " * 3_000):
        body = {"name": "Zaphod-8d21", "email": "zaphod-8d21@example.org", "phone": "+44-8d21", "cv_content": cv}
        assert (await client.put(ME, json=body)).status_code in {200, 201}
    for number in range(30):
        await client.post(
            APPLICATIONS,
            json={"job_id": JOB, "note": f"NOTE-MARKER-8d21 {number} " * 40},
            headers={"Idempotency-Key": f"key-{number}"},
        )
    made = (await client.get(APPLICATIONS)).json()["items"][0]
    await client.patch(f"{APPLICATIONS}/{made['id']}", json={"note": "NOTE-MARKER-8d21 changed"})


async def write(client, app, simulated):
    """What the language model makes of it: letters, an answer, a finished briefing and one in the middle."""
    suffer(simulated)
    for accept in ({}, EVENTS):
        assert (await client.post(LETTERS, json={"job_id": JOB}, headers=accept)).status_code in {200, 201}
    assert (await client.post(QUESTIONS, json={"question": "ASKED-MARKER-8d21?"})).status_code == 200
    simulated.ask("PUT", "/faults", {"fault": None})
    done = await client.post(BRIEFINGS, json={"focus": "FOCUS-MARKER-8d21"})
    await until_settled(app)
    assert (await client.get(done.headers["Location"])).json()["status"] == "done"
    # Slowly, so that it stops between two agents.
    simulated.ask("PUT", "/faults", {"fault": "first:300"})
    begun = asyncio.create_task(asked(simulated, 2))
    held = await client.post(BRIEFINGS, json={"focus": "FOCUS-MARKER-8d21 again"})
    await begun
    simulated.ask("PUT", "/faults", {"fault": "stall"})
    assert (await client.get(held.headers["Location"])).json()["status"] == "running"


async def test_nothing_is_left_in_the_files(client, bob, database_path):
    """After DELETE, none of the bytes that were there are in the database's file or its write-ahead log."""
    await fill(client)
    await bob.put(ME, json={"name": "Bob", "email": "bob@example.org"})
    assert len(left_in(database_path.parent)) == len(MARKERS) + 1
    assert (await client.delete(ME)).status_code == 204
    assert left_in(database_path.parent) == []
    assert (await bob.get(ME)).json()["name"] == "Bob"


async def test_nothing_of_what_a_model_wrote_is_left_in_the_files(client, app, simulated, database_path):
    """After DELETE no letter, focus, briefing or checkpoint is in any file, and a question never was."""
    await fill(client)
    await write(client, app, simulated)
    assert set(left_in(database_path.parent)) >= {*MARKERS, *WRITTEN[:2]}
    assert WRITTEN[2] not in left_in(database_path.parent)
    assert (await client.delete(ME)).status_code == 204
    assert left_in(database_path.parent) == []
    assert app.state.briefings._tasks == {}


@FORMS
async def test_a_letter_that_an_erasure_overtakes_is_not_kept(client, simulated, database_path, accept, monkeypatch):
    """A letter that is being written while its owner leaves is told to have come to nothing, and is in no file."""
    await fill(client)
    suffer(simulated, "first:300", "slow:2")
    erased, keep = asyncio.Event(), cover_letters.keep

    async def overtaken(*arguments):
        await erased.wait()
        return await keep(*arguments)

    monkeypatch.setattr(cover_letters, "keep", overtaken)
    begun = asyncio.create_task(asked(simulated, 1))
    writing = asyncio.create_task(client.post(LETTERS, json={"job_id": JOB}, headers=accept))
    await begun
    assert (await client.delete(ME)).status_code == 204
    erased.set()
    answer = await writing
    assert answer.status_code == (200 if accept else 409)
    assert "conflict" in answer.text
    assert left_in(database_path.parent) == []


async def test_no_table_keeps_a_row(client, app, simulated, database_path):
    """Every table with an owner is empty of the caller's rows, and every table of theirs, whichever there are."""
    await fill(client)
    await write(client, app, simulated)
    await client.delete(ME)
    with closing(sqlite3.connect(database_path)) as reader:
        tables = [name for (name,) in reader.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        owned = [t for t in tables if "owner" in [c[1] for c in reader.execute(f"PRAGMA table_info({t})")]]
        assert len(owned) == 5
        for table in owned:
            rows = reader.execute(f"SELECT count(*) FROM {table} WHERE owner = ?", (owner_of("alice"),))  # noqa: S608
            assert rows.fetchone() == (0,)
        for table in {*tables} - {*owned, "jobs", "alembic_version"}:
            assert reader.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table  # noqa: S608


async def test_a_reader_only_delays_it(client, database_path, recorder):
    """While another process reads, DELETE answers and the wiping is put off until the reader lets go."""
    await fill(client)
    with closing(sqlite3.connect(database_path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM profiles").fetchone()
        assert (await client.delete(ME)).status_code == 204
        assert recorder.events("database.wipe.deferred")
        assert (await client.get(ME)).status_code == 404
        reader.execute("COMMIT")
    await until(lambda: not left_in(database_path.parent))


async def test_a_killed_process_is_tidied_up_after(settings, database_path):
    """What was deleted but not wiped when a process died is gone after the next start."""
    from service.app import create_app  # noqa: PLC0415

    first = create_app(settings())
    async with first.router.lifespan_context(first):
        pass
    dead = sqlite3.connect(database_path, isolation_level=None)
    dead.execute("PRAGMA secure_delete=ON")
    dead.execute("CREATE TABLE scratch (text TEXT)")
    dead.execute("INSERT INTO scratch VALUES (?)", (MARKERS[0].decode(),))
    dead.execute("DELETE FROM scratch")
    assert left_in(database_path.parent) == [MARKERS[0]]
    second = create_app(settings())
    async with second.router.lifespan_context(second):
        assert left_in(database_path.parent) == []
    dead.close()
