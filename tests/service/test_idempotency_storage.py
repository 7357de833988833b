"""How idempotency keys are kept, and what happens while the first answer is not there yet."""

import asyncio
import sqlite3
from contextlib import closing

from service.database import engine
from service.domain.catalogue import catalogue
from tests.patience import PATIENCE, until

APPLICATIONS = "/api/v1/applications"
JOB = next(catalogue()).id
KEY = {"Idempotency-Key": "c0ffee-4-Alice!"}


async def post(client, note="Hello", key=KEY):
    """Apply under a key."""
    return await client.post(APPLICATIONS, json={"job_id": JOB, "note": note}, headers=key)


async def test_a_key_is_stored_hashed(client, database_path):
    """The key itself is nowhere in the database's files."""
    await post(client)
    files = b"".join(path.read_bytes() for path in database_path.parent.glob("clearstory.db*"))
    assert KEY["Idempotency-Key"].encode() not in files


async def test_still_running_is_409(patient_file, client, database, database_path, monkeypatch):
    """While the first request waits for the database, the second is a 409."""
    with closing(sqlite3.connect(database_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        first = asyncio.create_task(post(client))
        await until(lambda: database.claims._held)
        assert (await post(client)).status_code == 409
        monkeypatch.setattr(engine, "WAIT_SECONDS", 0.2)
        assert (await post(client, key={"Idempotency-Key": "x"}, note="y")).status_code == 503
        monkeypatch.setattr(engine, "WAIT_SECONDS", PATIENCE)
        other.execute("COMMIT")
        assert (await first).status_code == 201
    assert (await post(client)).status_code == 201
    assert len((await client.get(APPLICATIONS)).json()["items"]) == 1
