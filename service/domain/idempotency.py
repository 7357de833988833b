"""A request that is sent twice is done once (draft-ietf-httpapi-idempotency-key-header-07).

The record is written in the same transaction as what the request does: whatever fails, is cancelled or
killed half-way leaves neither, and a retry starts afresh. There is no state that somebody must release.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Claimed, Database
from service.database.models import IdempotencyRecord

LIFETIME = timedelta(hours=24)


class OtherRequest(Exception):
    """The key was used for a different request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, as it is kept."""

    status: int
    location: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """A key in its scope.

    Args:
        owner: whose request it is.
        digest: SHA-256 of owner, route and key; the key itself is never stored.
        request: SHA-256 of the canonical body.
    """

    owner: str
    digest: str
    request: str

    @classmethod
    def of(cls, owner: str, route: str, key: str, body: bytes) -> "Key":
        """The key `key` of `owner` on `route` for the request `body`."""
        digest = hashlib.sha256(f"{owner}\0{route}\0{key}".encode()).hexdigest()
        return cls(owner, digest, hashlib.sha256(body).hexdigest())


async def recall(database: Database, session: AsyncSession, key: Key, now: datetime) -> Answer | None:
    """The first answer to this key, None if there is none that is still kept.

    Raises:
        Claimed: another process is answering it.
        OtherRequest: it was the answer to another body.
    """
    if not await database.claim(session, key.digest):
        raise Claimed
    await session.execute(delete(IdempotencyRecord).where(IdempotencyRecord.expires_at <= now))
    return await _kept(session, key, now)


async def look_up(database: Database, key: Key, now: datetime) -> Answer | None:
    """The first answer to this key, whoever holds the key now: a replay holds it as well, for a moment.

    Raises:
        OtherRequest: it was the answer to another body.
    """
    async with database.transaction(read_only=True) as session:
        return await _kept(session, key, now)


async def _kept(session: AsyncSession, key: Key, now: datetime) -> Answer | None:
    record = await session.get(IdempotencyRecord, key.digest)
    if record is None or record.expires_at <= now:
        return None
    if record.request != key.request:
        raise OtherRequest
    return Answer(record.status, record.location, record.body)


def remember(session: AsyncSession, key: Key, answer: Answer, now: datetime) -> None:
    """Keep the answer for as long as the key lives; it is written when the transaction is committed."""
    session.add(
        IdempotencyRecord(
            key=key.digest,
            owner=key.owner,
            request=key.request,
            status=answer.status,
            location=answer.location,
            body=answer.body,
            expires_at=now + LIFETIME,
        )
    )
