"""From built to ready and back; telemetry is around it, so all of it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI

from service.database import Database, StartFailed
from service.limits import BackendUnusable
from telemetry import Telemetry, current_ids, names

if TYPE_CHECKING:
    from service.assistance import Assistance
    from service.briefings.runner import Runner
    from service.limits import Backend
    from service.readiness import Readiness


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the resources, be ready, close them.

    Raises:
        StartFailed: The database could not be opened.
        BackendUnusable: What keeps the counts of requests cannot be used.
    """
    telemetry: Telemetry = app.state.telemetry
    database: Database = app.state.database
    counts: Backend = app.state.counts
    briefings: Runner = app.state.briefings
    ours: Assistance = app.state.assistance
    readiness: Readiness = app.state.readiness
    try:
        with telemetry.root_span(names.SPAN_STARTUP):
            await counts.start()
            await database.start()
            await briefings.start()
            if ours.warmer is not None:
                ours.warmer.start(filter(None, [current_ids()]))
        readiness.started()
        yield
    except (StartFailed, BackendUnusable) as failure:
        readiness.failure = str(failure)
        raise
    finally:
        await briefings.stop()
        await ours.close()
        await database.close()
        await counts.close()
