"""What is different with PostgreSQL: a server that can go away, locks across processes, talkative errors."""

import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from service.database import QueryFailed, engine
from service.domain.catalogue import catalogue
from service.domain.idempotency import Key
from service.domain.ownership import owner_of
from tests.patience import PATIENCE

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)

ROOT = Path(__file__).parents[2]
ME = "/api/v1/profiles/me"
APPLICATIONS = "/api/v1/applications"
GOOD = {"name": "Ada", "email": "ada@example.org"}
JOB = next(catalogue()).id
START = """
import asyncio, sys
from service.app import create_app
from service.settings import Settings
from tests.patience import take_time
async def main():
    take_time()
    app = create_app(Settings.load({"DATABASE_URL": sys.argv[1], "DATA_DIR": sys.argv[2], "JWT_SECRET": "s" * 64}))
    await app.state.database.start()
    await app.state.database.close()
asyncio.run(main())
"""


@pytest.fixture
async def other(settings, app):
    """Another process's connection to the same database."""
    connection = await asyncpg.connect(settings().database_url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


async def test_the_catalogue_is_read(client):
    """Pages and searches work as with SQLite."""
    page = (await client.get("/api/v1/jobs", params={"q": "ZÜRICH", "limit": 2})).json()
    after = (await client.get("/api/v1/jobs", params={"q": "zürich", "cursor": page["next_cursor"]})).json()
    assert [job["location"] for job in page["items"] + after["items"][:1]] == ["Zürich"] * 3
    assert (await client.get(f"/api/v1/jobs/{JOB}")).json()["id"] == JOB
    assert (await client.get("/api/v1/jobs", params={"q": "%"})).json()["items"] == []


async def test_gone_and_back(client, database, postgresql):
    """Without its server the service answers 503 and is not ready; with it, it works at once."""
    await asyncio.gather(*(client.put(ME, json=GOOD) for _ in range(8)))
    postgresql.stop()
    try:
        for answer in (await client.get(ME), await client.put(ME, json=GOOD), await client.get("/readyz")):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    finally:
        postgresql.start()
    answers = await asyncio.gather(*(client.get(ME) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await client.get("/readyz")).status_code == 200


@pytest.fixture
def hurried(monkeypatch):
    """Wait less long for a lock that is not given."""
    monkeypatch.setattr(engine, "WAIT_SECONDS", 3.0)


async def test_locked(hurried, client, other):
    """A row that another process holds is a 503 with Retry-After after the lock timeout; it stays ready."""
    await asyncio.gather(*(client.put(ME, json=GOOD) for _ in range(8)))  # connections for all that follows
    async with other.transaction():
        await other.execute("SELECT * FROM profiles FOR UPDATE")
        writing = asyncio.create_task(client.put(ME, json=GOOD))
        assert (await client.get(ME)).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
        answer = await writing
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert (await client.put(ME, json=GOOD)).status_code == 200


async def test_a_key_that_another_process_works_on_is_409(client, other):
    """Idempotency keys are claimed across processes."""
    key = Key.of(owner_of("alice"), f"POST {APPLICATIONS}", "k", b"")
    number = int.from_bytes(bytes.fromhex(key.digest)[:8], signed=True)
    headers = {"Idempotency-Key": "k"}
    async with other.transaction():
        await other.execute("SELECT pg_advisory_xact_lock($1)", number)
        answer = await client.post(APPLICATIONS, json={"job_id": JOB}, headers=headers)
        assert answer.status_code == 409
    assert (await client.post(APPLICATIONS, json={"job_id": JOB}, headers=headers)).status_code == 201


async def test_an_error_quotes_no_row(database, recorder):
    """PostgreSQL's DETAIL, which holds the whole row, reaches neither the exception nor a span or line."""
    statement = text(
        "INSERT INTO profiles (owner, id, name, email, created_at, updated_at) VALUES ('o', 'p', :name, NULL, 0, 0)"
    )
    with pytest.raises(QueryFailed) as caught:
        async with database.transaction() as session:
            await session.execute(statement, {"name": "s3cret"})
    assert str(caught.value).endswith(" 23502")
    told = b"".join(recorder.raw_lines) + repr([span.to_json() for span in recorder.spans]).encode()
    assert b"s3cret" not in told


async def test_erasure(client, other):
    """DELETE removes every row of the caller."""
    await client.put(ME, json=GOOD)
    await client.post(APPLICATIONS, json={"job_id": JOB}, headers={"Idempotency-Key": "k"})
    assert (await client.delete(ME)).status_code == 204
    for table in ("profiles", "applications", "idempotency_records"):
        assert await other.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608


async def test_reads_are_one_statement(client, recorder):
    """A GET costs one SELECT, without BEGIN or COMMIT."""
    for path in ("/api/v1/jobs", ME, APPLICATIONS):
        recorder.clear()
        await client.get(path)
        statements = [s for s in recorder.spans if "db.query.text" in (s.attributes or {})]
        assert [s.attributes["db.operation.name"] for s in statements] == ["SELECT"]


def test_processes_that_start_together_migrate_once(postgresql, tmp_path, backend):
    """Four processes on one new database all start, and the catalogue is there once."""
    url = postgresql.new_database()
    arguments = [sys.executable, "-c", START, url, str(tmp_path)]
    processes = [subprocess.Popen(arguments, cwd=ROOT) for _ in range(4)]
    assert [process.wait(timeout=5 * PATIENCE) for process in processes] == [0, 0, 0, 0]
    assert postgresql.sql("SELECT count(*) FROM jobs", url.rpartition("/")[2]) == "2000"
