"""A request that is sent twice is done once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from service.database.models import IdempotencyRecord
from service.domain import applications
from service.domain.catalogue import catalogue

pytestmark = pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
APPLICATIONS = "/api/v1/applications"
JOBS = [posting.id for posting in catalogue(size=2)]
KEY = {"Idempotency-Key": "c0ffee-4-Alice!"}


async def post(client, note="Hello", job=JOBS[0], key=KEY):
    """Apply under a key."""
    return await client.post(APPLICATIONS, json={"job_id": job, "note": note}, headers=key)


async def count(client):
    """How many applications the client's owner has."""
    return len((await client.get(APPLICATIONS, params={"limit": 100})).json()["items"])


async def test_the_same_body_replays_the_first_answer(client):
    """The second time, status, body and Location are the first ones, marked as replayed."""
    first, second = await post(client), await post(client)
    assert (first.status_code, first.content, first.headers["location"]) == (
        second.status_code, second.content, second.headers["location"],
    )  # fmt: skip
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert await count(client) == 1


async def test_the_body_counts_not_its_spelling(client):
    """White space, order and an explicit null do not make it another request."""
    first = await post(client, note=None)
    body = f'{{ "job_id" : "{JOBS[0]}" }}'
    second = await client.post(APPLICATIONS, content=body, headers=KEY | {"Content-Type": "application/json"})
    assert second.content == first.content


async def test_the_first_answer_is_kept_as_it_was(client):
    """What happens to the application later does not change the replay."""
    first = await post(client)
    await client.patch(first.headers["location"], json={"status": "withdrawn"})
    assert (await post(client)).json()["status"] == "submitted"


async def test_another_body_is_422(client):
    """The same key for another request is a 422 about the header."""
    await post(client)
    answer = await post(client, note="Other")
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, ["header", "Idempotency-Key"])
    assert await count(client) == 1


async def test_a_key_is_its_owners(client, bob):
    """Two callers may use the same key; neither sees the other's answer."""
    first, second = await post(client), await post(bob)
    assert first.json()["id"] != second.json()["id"]
    assert (await count(client), await count(bob)) == (1, 1)


async def test_simultaneous_requests_create_one(client):
    """Of ten requests at once with one key one is done; the others replay it or are told to wait: 409."""
    answers = await asyncio.gather(*(post(client) for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert await count(client) == 1
    assert (await post(client)).headers["idempotent-replayed"] == "true"


async def test_a_finished_key_is_replayed_to_many_at_once(client):
    """Twenty requests at once under a finished key are twenty replays."""
    first = await post(client)
    answers = await asyncio.gather(*(post(client) for _ in range(20)))
    given = [(answer.status_code, answer.headers.get("idempotent-replayed"), answer.content) for answer in answers]
    assert given == [(201, "true", first.content)] * 20


async def test_another_body_under_a_finished_key_is_422_to_many_at_once(client):
    """Other bodies at once under a finished key are told so, whatever else holds the key to look at it."""
    await post(client)
    answers = await asyncio.gather(*(post(client, note=f"Other {number % 2}") for number in range(20)))
    assert [answer.status_code for answer in answers] == [422] * 20


async def test_an_expired_answer_is_not_replayed_while_the_next_is_made(client, database, monkeypatch):
    """A key whose day is over and that a request works under again is a 409."""
    await post(client)
    async with database.transaction() as session:
        await session.execute(update(IdempotencyRecord).values(expires_at=datetime(2020, 1, 1, tzinfo=UTC)))
    reached, go_on = asyncio.Event(), asyncio.Event()
    recall = applications.recall

    async def hang(_database, *arguments):
        reached.set()
        await go_on.wait()
        return await recall(_database, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(applications, "recall", hang)
        running = asyncio.create_task(post(client))
        await reached.wait()
        waiting = await post(client)
        go_on.set()
        again = await running
    assert (waiting.status_code, again.status_code) == (409, 201)


async def test_a_failure_releases_the_key(client, monkeypatch):
    """A request that fails is forgotten: a retry is a first one."""

    def fail(*_):
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(applications, "remember", fail)
        assert (await post(client)).status_code == 500
    assert await count(client) == 0
    again = await post(client)
    assert (again.status_code, "idempotent-replayed" in again.headers) == (201, False)


async def test_a_cancellation_releases_the_key(client, monkeypatch):
    """A request that is cancelled half-way is forgotten: a retry is a first one."""
    reached = asyncio.Event()
    recall = applications.recall

    async def hang(*arguments):
        await recall(*arguments)
        reached.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(applications, "recall", hang)
        task = asyncio.create_task(post(client))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    again = await post(client)
    assert (again.status_code, "idempotent-replayed" in again.headers) == (201, False)
    assert await count(client) == 1


async def test_a_refusal_is_not_kept(client):
    """A 422 takes no key: the corrected request may use it."""
    assert (await post(client, job="job_0000000000000000")).status_code == 422
    assert (await post(client)).status_code == 201


async def test_a_key_lives_for_a_day(client, database):
    """After 24 hours the key is free again."""
    await post(client)
    async with database.transaction() as session:
        record = (await session.scalars(IdempotencyRecord.__table__.select().with_only_columns(
            IdempotencyRecord.expires_at))).one()  # fmt: skip
        await session.execute(update(IdempotencyRecord).values(expires_at=record - timedelta(hours=24)))
    again = await post(client, note="Another day")
    assert (again.status_code, "idempotent-replayed" in again.headers) == (201, False)
    assert await count(client) == 2


@pytest.mark.parametrize("key", [b"", b"a b", b"x" * 256, b"a\tb"])
async def test_a_bad_key_is_422(client, key):
    """A key is 1 to 255 visible ASCII characters."""
    answer = await post(client, key={b"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, ["header", "Idempotency-Key"])


async def test_two_keys_are_422(client):
    """A header that is there twice names no key."""
    answer = await client.post(
        APPLICATIONS, json={"job_id": JOBS[0]}, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    )
    assert answer.status_code == 422
