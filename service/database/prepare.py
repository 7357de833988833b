"""Bring the database to the schema and catalogue of this version: at start-up, one process at a time."""

import logging
from pathlib import Path

from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from service.database import migrations
from service.database.backend import Backend
from service.database.models import Job
from service.domain.catalogue import catalogue
from telemetry import get_logger, names

log = get_logger(__name__)

OTHER_PROCESS_SECONDS = 60.0


async def prepare(backend: Backend) -> None:
    """Create, migrate and seed; does nothing to a database that is current.

    Raises:
        SQLAlchemyError, OSError: it cannot be reached or written.
        TimeoutError: another process migrates and does not come to an end.
    """
    engine = backend.migration_engine()
    try:
        async with engine.connect() as connection, backend.one_process(connection, OTHER_PROCESS_SECONDS):
            async with connection.begin():
                await _migrate(connection)
            async with connection.begin():
                await _seed(connection)
    finally:
        await engine.dispose()


async def _migrate(connection: AsyncConnection) -> None:
    found = await connection.run_sync(_revision)
    if found == migrations.HEAD:
        return
    await connection.run_sync(_upgrade)
    log.info(names.DATABASE_MIGRATED, before=found, after=migrations.HEAD)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _upgrade(connection: Connection) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)  # `database.migrated` says all there is to say
    # Imported here: a database that is current needs none of its 11 MiB.
    from alembic import command, config  # noqa: PLC0415

    location = str(Path(migrations.__file__).parent)
    settings = config.Config(attributes={"connection": connection})
    settings.set_main_option("script_location", location.replace("%", "%%"))
    command.upgrade(settings, "head")


async def _seed(connection: AsyncConnection) -> None:
    if (await connection.execute(select(Job.id).limit(1))).first() is None:
        await connection.execute(insert(Job), [posting.row() for posting in catalogue()])
