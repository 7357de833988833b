"""From built to ready and back; telemetry is around it, so all of it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI

from service.database import Database, StartFailed

if TYPE_CHECKING:
    from service.readiness import Readiness


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the resources, be ready, close them.

    Raises:
        StartFailed: The database could not be opened.
    """
    database: Database = app.state.database
    readiness: Readiness = app.state.readiness
    try:
        await database.start()
        readiness.started()
        yield
    except StartFailed as failure:
        readiness.failure = str(failure)
        raise
    finally:
        await database.close()
