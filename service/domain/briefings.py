"""Briefings: asked for, taken up, finished; each by one worker at a time.

Whoever takes a briefing up raises its `attempt`, and every later write names the attempt that it belongs to: a
worker that was overtaken, or whose briefing was erased, changes nothing any more.
"""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Database
from service.database.models import Briefing, BriefingCheckpoint, BriefingWrite
from service.llm.errors import KINDS, LlmError

_ID = re.compile(r"brf_[0-9a-f]{32}")


class BriefingStatus(StrEnum):
    """Where a briefing stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


UNFINISHED = (BriefingStatus.QUEUED, BriefingStatus.RUNNING)
REASONS = ("deadline", "given_up", "internal", "invalid_answer", LlmError.kind, *KINDS)
"""Why a briefing may have failed."""


class Superseded(Exception):
    """The briefing is somebody else's by now, or erased."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is asked for.

    Attributes:
        owner: by whom.
        user: the pseudonym that providers see.
        focus: what it is to be about, in the owner's words.
        traceparent: the request's server span, as W3C Trace Context writes it.
    """

    owner: str
    user: str
    focus: str | None
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A briefing that is worked on.

    Attributes:
        id: its id.
        attempt: the how-manieth time it was taken up.
        draft: what is asked for.
    """

    id: str
    attempt: int
    draft: Draft


def new_id() -> str:
    """An id that no briefing has."""
    return f"brf_{secrets.token_hex(16)}"


async def add(database: Database, briefing_id: str, draft: Draft, now: datetime) -> Briefing:
    """Keep what is asked for."""
    briefing = Briefing(
        id=briefing_id,
        owner=draft.owner,
        user=draft.user,
        status=BriefingStatus.QUEUED,
        focus=draft.focus,
        traceparent=draft.traceparent,
        attempt=0,
        created_at=now,
        updated_at=now,
    )
    async with database.transaction() as session:
        session.add(briefing)
    return briefing


async def by_id(database: Database, owner: str, briefing_id: str) -> Briefing | None:
    """The owner's briefing; None also for somebody else's."""
    if not _ID.fullmatch(briefing_id):
        return None
    statement = select(Briefing).where(Briefing.id == briefing_id, Briefing.owner == owner)
    async with database.transaction(read_only=True) as session:
        return (await session.scalars(statement)).one_or_none()


async def unfinished(database: Database) -> Sequence[tuple[str, str, int]]:
    """Id, owner and attempt of what nobody has finished, oldest first."""
    statement = (
        select(Briefing.id, Briefing.owner, Briefing.attempt)
        .where(Briefing.status.in_(UNFINISHED))
        .order_by(Briefing.created_at, Briefing.id)
    )
    async with database.transaction(read_only=True) as session:
        return [(row.id, row.owner, row.attempt) for row in await session.execute(statement)]


async def take_up(database: Database, briefing_id: str, attempt: int, now: datetime) -> Taken | None:
    """Begin to work on a briefing, or go on with it.

    Args:
        database: where.
        briefing_id: which.
        attempt: the last one known: of several workers that know the same, one gets it.
        now: the time of it.

    Returns:
        The briefing; None if it is finished, erased or somebody else's.
    """
    statement = (
        update(Briefing)
        .where(Briefing.id == briefing_id, Briefing.attempt == attempt, Briefing.status.in_(UNFINISHED))
        .values(status=BriefingStatus.RUNNING, attempt=attempt + 1, updated_at=now)
        .returning(Briefing)
    )
    async with database.transaction() as session:
        found = (await session.scalars(statement)).one_or_none()
    if found is None:
        return None
    return Taken(found.id, found.attempt, Draft(found.owner, found.user, found.focus, found.traceparent))


async def finish(database: Database, taken: Taken, result: Mapping[str, Any], now: datetime) -> None:
    """Keep the whole result; what led to it goes.

    Raises:
        Superseded: it was not kept.
    """
    # ASCII: a database may refuse what a model can write (NUL, half of a surrogate pair).
    await _end(database, taken, {"status": BriefingStatus.DONE, "result": json.dumps(result), "updated_at": now})


async def fail(database: Database, taken: Taken, reason: str, now: datetime) -> None:
    """Say that there will be no result; what there was of it goes.

    Args:
        database: where.
        taken: the briefing.
        reason: one of `REASONS`.
        now: the time of it.

    Raises:
        Superseded: it was not said.
    """
    await _end(database, taken, {"status": BriefingStatus.FAILED, "reason": reason, "updated_at": now})


async def _end(database: Database, taken: Taken, values: dict[str, Any]) -> None:
    async with database.transaction() as session:
        await hold(session, taken, values)
        for table in (BriefingWrite, BriefingCheckpoint):
            await session.execute(delete(table).where(table.briefing_id == taken.id))


async def hold(session: AsyncSession, taken: Taken, values: dict[str, Any]) -> None:
    """Write columns of a briefing; nobody else gets it before the transaction ends.

    Raises:
        Superseded: it is not this worker's any more.
    """
    statement = (
        update(Briefing)
        .where(Briefing.id == taken.id, Briefing.attempt == taken.attempt, Briefing.status == BriefingStatus.RUNNING)
        .values(values)
    )
    result = await session.execute(statement)
    assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE gives; tells mypy
    if result.rowcount != 1:
        raise Superseded
