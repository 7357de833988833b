"""Cover letters: what they are made of, and the finished ones."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from service.database import Database, insist
from service.database.models import CoverLetter, Job, Profile
from service.domain.jobs import UnknownJob, is_job_id

KEEP_SECONDS = 30.0
"""How long a finished letter, which has been paid for, waits for a database that is gone or busy."""

MODEL_LENGTH = 100
"""Characters of a model's name that are kept."""

_ID = re.compile(r"ltr_[0-9a-f]{32}")


class Tone(StrEnum):
    """How it sounds."""

    PLAIN = "plain"
    WARM = "warm"
    FORMAL = "formal"


class Length(StrEnum):
    """How long it is."""

    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


class NoCv(Exception):
    """There is no profile, or no CV in it: nothing that a letter could be made of."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a letter is made of."""

    profile: Profile
    cv: str
    job: Job


@dataclass(frozen=True, slots=True)
class Written:
    """A letter that is complete."""

    tone: Tone
    length: Length
    content: str
    model: str
    prompt_version: str


def storable(text: str) -> str:
    """Give a text as every database takes it: without NUL, and without halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


async def material(database: Database, owner: str, job_id: str) -> Material:
    """Gather what a letter is made of.

    Raises:
        UnknownJob: the job is not in the catalogue.
        NoCv: the owner has given none.
    """
    if not is_job_id(job_id):
        raise UnknownJob
    # One statement: in a burst each holds its connection for as long as the loop is busy with all the others.
    statement = select(Job, Profile).outerjoin(Profile, Profile.owner == owner).where(Job.id == job_id)
    async with database.transaction(read_only=True) as session:
        found = (await session.execute(statement)).one_or_none()
    if found is None:
        raise UnknownJob
    job, profile = found
    if profile is None or not profile.cv_content:
        raise NoCv
    return Material(profile, profile.cv_content, job)


async def keep(database: Database, made_of: Material, written: Written, now: datetime) -> CoverLetter:
    """Keep a letter.

    Raises:
        NoCv: its owner has erased their profile meanwhile; nothing is kept.
        Unavailable: the database is gone or busy, and was for `KEEP_SECONDS`.
    """
    values = {
        "id": f"ltr_{secrets.token_hex(16)}",
        "owner": made_of.profile.owner,
        "job_id": made_of.job.id,
        "tone": written.tone,
        "length": written.length,
        "content": written.content,
        "model": written.model,
        "prompt_version": written.prompt_version,
        "created_at": now,
    }
    # The same id at every try: one that came through unheard is not made twice.
    statement = database.insert(CoverLetter).values(values).on_conflict_do_nothing(index_elements=["id"])

    async def store() -> None:
        async with database.transaction() as session:
            # Held until the commit: an erasure comes either before this, or after, and takes the letter with it.
            there = select(Profile.id).where(Profile.owner == made_of.profile.owner).with_for_update()
            if await session.scalar(there) != made_of.profile.id:
                raise NoCv
            await session.execute(statement)

    await insist(store, KEEP_SECONDS)
    return CoverLetter(**values)


async def by_id(database: Database, owner: str, cover_letter_id: str) -> CoverLetter | None:
    """The owner's letter; None also for somebody else's."""
    if not _ID.fullmatch(cover_letter_id):
        return None
    statement = select(CoverLetter).where(CoverLetter.id == cover_letter_id, CoverLetter.owner == owner)
    async with database.transaction(read_only=True) as session:
        return (await session.scalars(statement)).one_or_none()
