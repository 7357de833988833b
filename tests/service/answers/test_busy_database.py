"""A letter that has been paid for is not lost to a database that is busy for a moment."""

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing

import pytest

from service.database import patience
from service.domain import cover_letters
from service.errors import Unavailable
from tests.patience import until
from tests.service.answers.asking import EVENTS, LETTER, LETTERS, code, events, letters, problem, said

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    """Hardly a pause."""
    monkeypatch.setattr(patience, "_PAUSES", (0.01,))


@asynccontextmanager
async def written_to(service):
    """Somebody else writes, and has not finished when the block ends, but when the service has said that it is busy."""
    with closing(sqlite3.connect(service.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        await until(lambda: service.recorder.events("database.unavailable"))
        other.execute("ROLLBACK")


async def test_a_letter_at_once(client, service):
    """The letter that could not be kept at first is kept, once, and the provider was asked once."""
    kept = letters(service.database)
    async with written_to(service):
        writing = asyncio.create_task(client.post(LETTERS, json=LETTER))
    answer = await writing
    assert answer.status_code == 201
    assert letters(service.database) == [*kept, answer.json()["content"]]
    assert len(service.call_spans()) == 1


async def test_a_stream(client, service):
    """The stream ends in `done`, not in an error."""
    kept = letters(service.database)
    async with written_to(service):
        writing = asyncio.create_task(client.post(LETTERS, json=LETTER, headers=EVENTS))
    *tokens, last = events((await writing).text)
    assert (last.name, last.data["content"]) == ("done", said(tokens))
    assert letters(service.database) == [*kept, said(tokens)]


async def test_one_that_was_kept_unheard(client, service, monkeypatch):
    """A letter whose commit came through although its connection was lost is not kept twice."""
    kept = letters(service.database)
    database = service.app.state.database
    transaction = database.transaction
    lost = iter([True])

    @asynccontextmanager
    async def unheard(*, read_only=False):
        async with transaction(read_only=read_only) as session:
            yield session
        if not read_only and next(lost, False):
            raise Unavailable

    monkeypatch.setattr(database, "transaction", unheard)
    answer = await client.post(LETTERS, json=LETTER)
    assert answer.status_code == 201
    assert letters(service.database) == [*kept, answer.json()["content"]]
    assert (await client.get(answer.headers["Location"])).json() == answer.json()


async def test_a_database_that_stays_busy(client, service, monkeypatch):
    """There is an end to it: a 503, with nothing kept and nothing held."""
    monkeypatch.setattr(cover_letters, "KEEP_SECONDS", 0)
    kept = letters(service.database)
    async with written_to(service):
        answer = await client.post(LETTERS, json=LETTER)
    assert (code(problem(answer)), answer.headers["retry-after"]) == ("unavailable", "1")
    assert letters(service.database) == kept
    assert service.is_at_rest()
