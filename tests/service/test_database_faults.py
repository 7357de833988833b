"""The database gone or busy: a clear answer, and all is well again when it is back."""

import asyncio
import random
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import exc, text

from service.database import Database, QueryFailed, StartFailed, engine
from service.database.faults import classify
from service.domain.catalogue import catalogue
from service.errors import Unavailable
from tests.patience import until

ME = "/api/v1/profiles/me"
GOOD = {"name": "Ada", "email": "ada@example.org"}
JOB = f"/api/v1/jobs/{next(catalogue()).id}"


@pytest.fixture
def elsewhere(database_path):
    """Where the database is moved to, with its log."""
    names = ["", "-wal", "-shm"]

    def move(there):
        for name in names:
            here, away = database_path.with_name(f"clearstory.db{name}"), database_path.with_name(f"moved{name}")
            source, target = (here, away) if there else (away, here)
            if source.exists():
                source.rename(target)

    return move


@pytest.mark.parametrize("whole", [True, False])
async def test_gone_and_back(client, database, database_path, elsewhere, whole):
    """A database that is moved away gives 503 and not ready, is not made anew, and works again when back."""
    await client.put(ME, json=GOOD)
    if whole:
        elsewhere(there=True)
    else:
        database_path.rename(database_path.with_name("moved"))
    for _ in range(3):
        read, written = await client.get(ME), await client.put(ME, json=GOOD)
        assert [(answer.status_code, answer.headers["retry-after"]) for answer in (read, written)] == [
            (503, "5"), (503, "5"),
        ]  # fmt: skip
        with pytest.raises(Unavailable):
            await database.ping()
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert not database_path.exists()
    elsewhere(there=False)
    assert (await client.get(ME)).json()["name"] == "Ada"
    assert (await client.put(ME, json=GOOD)).status_code == 200
    await database.ping()


async def test_cancelled_writers(patient_file, database):
    """Writers that are cancelled, wherever they are, keep nobody else from writing."""
    chance = random.Random(1)

    async def write():
        async with database.transaction() as session:
            await session.execute(text("UPDATE jobs SET title = title WHERE id = (SELECT min(id) FROM jobs)"))
            await session.execute(text("SELECT 1"))

    for _ in range(60):
        left = [asyncio.create_task(write()) for _ in range(4)]
        others = [asyncio.create_task(write()) for _ in range(2)]
        await asyncio.sleep(chance.uniform(0, 0.02))
        for task in left:
            task.cancel()
        await asyncio.gather(*others)
        await asyncio.gather(*left, return_exceptions=True)


async def test_deleted(client, database, database_path):
    """A database that is deleted while it is open stops answering at once."""
    await client.get(JOB)
    for path in database_path.parent.glob("clearstory.db*"):
        path.unlink()
    assert (await client.get(JOB)).status_code == 503
    assert (await client.get("/readyz")).status_code == 503
    assert not database_path.exists()


@pytest.mark.parametrize("content", [b"", b"not a database" * 1000])
async def test_replaced(client, database_path, content):
    """Something else in the database's place is a 503, not a 500."""
    await client.get(JOB)
    for path in database_path.parent.glob("clearstory.db*"):
        path.unlink()
    database_path.write_bytes(content)
    assert (await client.get(JOB)).status_code == 503
    assert (await client.get("/readyz")).status_code == 503


async def test_locked(client, database, database_path):
    """A database that another process writes to gives 503 with Retry-After to writers; it stays ready and read."""
    await client.put(ME, json=GOOD)
    with closing(sqlite3.connect(database_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(client.put(ME, json=GOOD | {"name": "Eve"}))
        assert (await client.get(ME)).json()["name"] == "Ada"
        assert (await client.get("/readyz")).status_code == 200
        await database.ping()
        answer = await writing
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        other.execute("ROLLBACK")
    assert (await client.put(ME, json=GOOD)).status_code == 200


async def test_exhausted(client, database, monkeypatch):
    """With every connection taken, who reads is a 503 after a while; it stays ready, and writers are not behind."""
    monkeypatch.setattr(engine, "WAIT_SECONDS", 0.2)
    async with asyncio.TaskGroup() as group:
        release = asyncio.Event()

        async def hold(taken):
            async with database.transaction(read_only=True):
                taken.set()
                await release.wait()

        for _ in range(7):
            taken = asyncio.Event()
            group.create_task(hold(taken))
            await taken.wait()
        waiting = asyncio.create_task(client.get(JOB))
        assert (await client.put(ME, json=GOOD)).status_code == 201
        answer = await waiting
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert (await client.get("/readyz")).status_code == 200
        release.set()
    assert (await client.get(JOB)).status_code == 200


async def test_waiting_is_counted(client, database, recorder):
    """Whoever waits for a connection or for its turn to write is counted while it waits."""
    metric = "db_client_connections_pending_requests"
    async with database.transaction():
        waiting = asyncio.create_task(client.put(ME, json=GOOD))
        await until(lambda: recorder.metric(metric, pool_name="default") == 1)
    assert (await waiting).status_code == 201
    assert recorder.metric(metric, pool_name="default") == 0


async def test_many_writers_take_turns(client):
    """A hundred simultaneous writers all succeed, in turn."""
    answers = await asyncio.gather(*(client.put(ME, json=GOOD | {"name": str(n)}) for n in range(100)))
    assert sorted({answer.status_code for answer in answers}) == [200, 201]


async def test_a_refused_statement_tells_nothing(client, database, recorder):
    """A statement that the database refuses is an error of class and code, without text, values or cause."""
    with pytest.raises(QueryFailed) as caught:
        async with database.transaction() as session:
            await session.execute(text("INSERT INTO profiles (owner) VALUES (:secret)"), {"secret": "s3cret"})
    assert str(caught.value) == "IntegrityError SQLITE_CONSTRAINT_NOTNULL"
    assert caught.value.__suppress_context__
    assert b"s3cret" not in b"".join(recorder.raw_lines)


async def test_a_failure_rolls_back(client, database):
    """What a transaction did before it failed is undone."""
    before = len((await client.get("/api/v1/jobs", params={"limit": 100})).json()["items"])

    async def fail():
        async with database.transaction() as session:
            await session.execute(text("DELETE FROM jobs"))
            await session.execute(text("SELEKT"))

    with pytest.raises(QueryFailed):
        await fail()
    assert len((await client.get("/api/v1/jobs", params={"limit": 100})).json()["items"]) == before


async def test_statements_hold_no_values(client, recorder):
    """No SQL span of any route has a value in its text, limits and patterns included."""
    job = (await client.get("/api/v1/jobs", params={"q": "berlin", "limit": 7})).json()["items"][0]
    await client.put(ME, json=GOOD)
    made = await client.post(
        "/api/v1/applications", json={"job_id": job["id"], "note": "hush"}, headers={"Idempotency-Key": "k1"}
    )
    await client.patch(made.headers["location"], json={"status": "withdrawn"})
    await client.get("/api/v1/applications", params={"limit": 9})
    await client.delete(ME)
    texts = [s.attributes["db.query.text"] for s in recorder.spans if "db.query.text" in (s.attributes or {})]
    assert len(texts) > 10
    for statement in texts:
        assert not any(word in statement for word in ("berlin", job["id"], "hush", "k1", "Ada", "withdrawn"))
        assert not any(character.isdigit() for character in statement.replace("_1", ""))


async def test_reads_are_one_statement(client, recorder):
    """A GET costs one SELECT, without BEGIN or COMMIT."""
    for path in ("/api/v1/jobs", JOB, ME, "/api/v1/applications"):
        recorder.clear()
        await client.get(path)
        statements = [s for s in recorder.spans if "db.query.text" in (s.attributes or {})]
        assert [s.attributes["db.operation.name"] for s in statements] == ["SELECT"]


async def test_a_start_without_a_database_is_one_line(built, tmp_path):
    """A database that cannot be opened stops the start with one line that names the file."""
    (tmp_path / "file").write_text("x" * 4096)
    for path in (tmp_path / "file" / "clearstory.db", tmp_path / "file"):
        database = Database(f"sqlite+aiosqlite:///{path}", built.state.telemetry)
        with pytest.raises(StartFailed, match=rf"^'{path}': the database cannot be opened \(\w+\)$"):
            await database.start()
        await database.close()


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:", "sqlite:///x", "mysql://h/d"])
def test_other_databases_are_refused(url, built):
    """Only an SQLite file with aiosqlite and PostgreSQL with asyncpg are known."""
    with pytest.raises(ValueError, match=r"expected"):
        Database(url, built.state.telemetry)


class Refused(Exception):
    """What asyncpg would raise."""

    def __init__(self, sqlstate):
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (exc.TimeoutError(), "busy"),
        (ConnectionRefusedError(), "gone"),
        (exc.DisconnectionError(), "gone"),
        (exc.DBAPIError("", None, Refused("55P03")), "busy"),
        (exc.DBAPIError("", None, Refused("40P01")), "busy"),
        (exc.DBAPIError("", None, Refused("53300")), "busy"),
        (exc.DBAPIError("", None, Refused("57P01")), "gone"),
        (exc.DBAPIError("", None, Refused("08006")), "gone"),
        (exc.DBAPIError("", None, Refused("28P01")), "gone"),
        (exc.IntegrityError("", None, Refused("23505")), None),
        (exc.ProgrammingError("", None, Refused("42601")), None),
        (exc.InterfaceError("", None, Refused("")), "gone"),
    ],
)
def test_faults_are_told_apart(error, expected):
    """Gone, busy, or our own defect: by class and SQLSTATE."""
    assert classify(error) == expected
