"""An application that is not ours, with every habit that leaks, instrumented by one call."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import structlog
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from telemetry import Telemetry, instrument
from tests.leaks.places import PLACES, fail, fail_as_group
from tests.leaks.wire import Instrumented, Wire, served, settings_for


class Body(BaseModel):
    """What is validated."""

    note: int


def add_routes(app: FastAPI, telemetry: Telemetry, texts: Iterable[str]) -> None:
    """Add the habits.

    Args:
        app: the application.
        telemetry: what it was instrumented with.
        texts: what a place is given, one after the other.
    """

    @app.get("/put/{place}")
    async def put(place: str) -> None:
        for number, text in enumerate(texts, 1):
            PLACES[place].put(telemetry, text)
            if number % _AT_ONCE == 0:
                await app.state.running.exported()
        await asyncio.sleep(0)

    _add_failing(app)


def _add_failing(app: FastAPI) -> None:
    @app.post("/fail/{item}")
    async def fail_with_body(item: str, request: Request) -> None:
        local = await request.body()
        fail(local.decode())

    @app.post("/group")
    async def fail_with_group(request: Request) -> None:
        fail_as_group((await request.body()).decode())

    @app.post("/refuse")
    async def refuse(request: Request) -> None:
        raise HTTPException(400, (await request.body()).decode())

    @app.post("/validate")
    async def validate(body: Body) -> int:
        return body.note

    @app.post("/invalid")
    async def invalid(request: Request) -> Body:
        return Body.model_validate({"note": (await request.body()).decode()})

    @app.post("/background")
    async def background(request: Request, tasks: BackgroundTasks) -> JSONResponse:
        tasks.add_task(fail, (await request.body()).decode())
        return JSONResponse({})

    @app.post("/bound")
    async def bound(request: Request) -> None:
        structlog.contextvars.bind_contextvars(note=(await request.body()).decode())


# Sentry's queue takes a hundred.
_AT_ONCE = 40
ROUTES = ("fail/7", "group", "refuse", "validate", "invalid", "background", "bound")


@asynccontextmanager
async def foreign(wire: Wire, texts: Iterable[str], **given: object) -> AsyncIterator[Instrumented]:
    """Run the application."""
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    telemetry = instrument(app, settings_for(wire, **given))
    add_routes(app, telemetry, texts)
    async with served(app, telemetry, wire) as app.state.running:
        yield app.state.running
