"""The catalogue, read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Database
from service.database.models import Job
from service.domain.catalogue import folded
from service.domain.paging import Place, after

_ID = re.compile(r"job_[0-9a-f]{16}")


class UnknownJob(Exception):
    """There is no job of that id."""


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, newest first, and the cursor of what comes next."""

    items: Sequence[Job]
    next_cursor: str | None


def is_job_id(text: str) -> bool:
    """Whether `text` could name a job; what could not is never sent to the database."""
    return _ID.fullmatch(text) is not None


async def page(database: Database, query: str | None, limit: int, cursor: str | None) -> JobPage:
    """Jobs whose title, company or place contains `query`, whatever its case.

    Raises:
        InvalidCursor: `cursor` was not given out by this function.
    """
    statement = select(Job).order_by(Job.posted_at.desc(), Job.id).limit(limit + 1)
    if query:
        statement = statement.where(Job.search.contains(folded(query), autoescape=True))
    if cursor is not None:
        statement = statement.where(after(Place.decode(cursor), Job.posted_at, Job.id))
    async with database.transaction(read_only=True) as session:
        found = (await session.scalars(statement)).all()
    items = found[:limit]
    more = len(found) > limit
    return JobPage(items, Place(items[-1].posted_at, items[-1].id).encode() if more else None)


async def by_id(database: Database, job_id: str) -> Job | None:
    """The job, or None."""
    if not is_job_id(job_id):
        return None
    async with database.transaction(read_only=True) as session:
        return await session.get(Job, job_id)


async def known(session: AsyncSession, job_id: str) -> Job:
    """The job, read in the transaction of what is to be made of it.

    Raises:
        UnknownJob: it is not in the catalogue.
    """
    job = await session.get(Job, job_id) if is_job_id(job_id) else None
    if job is None:
        raise UnknownJob
    return job


async def by_ids(database: Database, job_ids: Sequence[str]) -> Sequence[Job]:
    """The jobs of these ids that there are, in the order of the ids."""
    async with database.transaction(read_only=True) as session:
        found = {job.id: job for job in await session.scalars(select(Job).where(Job.id.in_(job_ids)))}
    return [found[job_id] for job_id in job_ids if job_id in found]
