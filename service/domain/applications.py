"""Applications: sent, followed, withdrawn."""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, select

from service.database import Claimed, Database
from service.database.models import Application
from service.domain.idempotency import Answer, Key, look_up, recall, remember
from service.domain.jobs import known
from service.domain.paging import Place, after

_ID = re.compile(r"app_[0-9a-f]{32}")


class Status(StrEnum):
    """Where an application stands."""

    SUBMITTED = "submitted"
    INTERVIEWING = "interviewing"
    OFFERED = "offered"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


FINAL = frozenset({Status.REJECTED, Status.WITHDRAWN})


class AlreadyFinal(Exception):
    """The application has been rejected or withdrawn."""


@dataclass(frozen=True, slots=True)
class ApplicationPage:
    """Some applications, newest first, and the cursor of what comes next."""

    items: Sequence[Application]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody applies with."""

    owner: str
    job_id: str
    note: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """What is to change; a None status leaves it, `note` counts if `sets_note`."""

    status: Status | None
    sets_note: bool
    note: str | None


async def submit(
    database: Database,
    draft: Draft,
    key: Key | None,
    answer: Callable[[Application], Answer],
    now: datetime,
) -> tuple[Answer, bool]:
    """Apply, once for each key.

    Args:
        database: where.
        draft: with what, and for whom.
        key: the request's idempotency key, if it has one.
        answer: renders the response that is kept under the key.
        now: the time of it.

    Returns:
        The answer, and whether it was given before.

    Raises:
        UnknownJob: nothing was kept, another try is a first one.
        Claimed: the first request with this key has not been answered yet.
        OtherRequest: the key was used for another body.
    """
    if key is None:
        return await _submit(database, draft, key, answer, now)
    try:
        with database.claims.held(key.digest):
            return await _submit(database, draft, key, answer, now)
    except Claimed:
        given = await look_up(database, key, now)
        if given is None:
            raise
        return given, True


async def _submit(
    database: Database, draft: Draft, key: Key | None, answer: Callable[[Application], Answer], now: datetime
) -> tuple[Answer, bool]:
    async with database.transaction() as session:
        given = None if key is None else await recall(database, session, key, now)
        if given is not None:
            return given, True
        job = await known(session, draft.job_id)
        application = Application(
            id=f"app_{secrets.token_hex(16)}",
            owner=draft.owner,
            job_id=job.id,
            status=Status.SUBMITTED,
            note=draft.note,
            created_at=now,
            updated_at=now,
        )
        session.add(application)
        given = answer(application)
        if key is not None:
            remember(session, key, given, now)
    return given, False


async def page(database: Database, owner: str, limit: int, cursor: str | None) -> ApplicationPage:
    """The owner's applications.

    Raises:
        InvalidCursor: `cursor` was not given out by this function.
    """
    statement = select(Application).where(Application.owner == owner)
    if cursor is not None:
        statement = statement.where(after(Place.decode(cursor), Application.created_at, Application.id))
    statement = statement.order_by(Application.created_at.desc(), Application.id).limit(limit + 1)
    async with database.transaction(read_only=True) as session:
        found = (await session.scalars(statement)).all()
    items = found[:limit]
    more = len(found) > limit
    return ApplicationPage(items, Place(items[-1].created_at, items[-1].id).encode() if more else None)


async def by_id(database: Database, owner: str, application_id: str) -> Application | None:
    """The owner's application; None also for somebody else's."""
    if not _ID.fullmatch(application_id):
        return None
    async with database.transaction(read_only=True) as session:
        return (await session.scalars(_owned(owner, application_id))).one_or_none()


async def change(
    database: Database, owner: str, application_id: str, wanted: Change, now: datetime
) -> Application | None:
    """Change the owner's application; None also for somebody else's.

    Raises:
        AlreadyFinal: its status can change no more.
    """
    if not _ID.fullmatch(application_id):
        return None
    async with database.transaction() as session:
        application = (await session.scalars(_owned(owner, application_id).with_for_update())).one_or_none()
        if application is None:
            return None
        _apply(application, wanted, now)
        return application


def _owned(owner: str, application_id: str) -> Select[Application]:
    return select(Application).where(Application.id == application_id, Application.owner == owner)


def _apply(application: Application, wanted: Change, now: datetime) -> None:
    before = (application.status, application.note)
    if wanted.status is not None and wanted.status != application.status:
        if application.status in FINAL:
            raise AlreadyFinal
        application.status = wanted.status
    if wanted.sets_note:
        application.note = wanted.note
    if before != (application.status, application.note):
        application.updated_at = now
