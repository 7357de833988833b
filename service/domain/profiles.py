"""Profiles: made, replaced, erased."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, select

from service.database import Database
from service.database.models import Application, Briefing, CoverLetter, IdempotencyRecord, Profile

_OWNED = (IdempotencyRecord, Application, CoverLetter, Profile)
"""Every table with an owner but that of briefings, in the order in which rows may go."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What somebody says of themselves."""

    name: str
    email: str
    phone: str | None
    cv_content: str | None


async def by_owner(database: Database, owner: str) -> Profile | None:
    """The owner's profile, or None."""
    async with database.transaction(read_only=True) as session:
        return (await session.scalars(select(Profile).where(Profile.owner == owner))).one_or_none()


async def replace(database: Database, owner: str, fields: Fields, now: datetime) -> tuple[Profile, bool]:
    """Write the owner's profile.

    Returns:
        The profile, and whether there was none before.
    """
    new_id = f"prf_{secrets.token_hex(16)}"
    written = asdict(fields) | {"updated_at": now}
    statement = (
        database.insert(Profile)
        .values(owner=owner, id=new_id, created_at=now, **written)
        .on_conflict_do_update(index_elements=["owner"], set_=written)
        .returning(Profile)
    )
    async with database.transaction() as session:
        profile = (await session.scalars(statement)).one()
    return profile, profile.id == new_id


async def erase(database: Database, owner: str, cancel: Callable[[Sequence[str]], Awaitable[None]]) -> None:
    """Remove every row of the owner, then what the rows left in the database's files.

    Args:
        database: where.
        owner: whose.
        cancel: ends the work on briefings that are gone.
    """
    briefings = delete(Briefing).where(Briefing.owner == owner).returning(Briefing.id)
    async with database.transaction() as session:
        gone = (await session.scalars(briefings)).all()  # their checkpoints go with them
        for table in _OWNED:
            await session.execute(delete(table).where(table.owner == owner))
    await cancel(gone)
    await database.wipe()
