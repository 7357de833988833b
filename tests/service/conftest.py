"""The resources' routes over a real database, with a stand-in for the gateway: a token is a subject."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from service import errors, openapi
from service.access import Principal
from service.database import Database
from service.routes import applications, jobs, profiles
from telemetry import Layer, TelemetrySettings, current_request, instrument


class StandIn:
    """Believes whoever says who they are."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            said = dict(scope["headers"]).get(b"authorization", b"")
            if said:
                scope["principal"] = Principal(said.removeprefix(b"Bearer ").decode())
                current_request(scope).principal = scope["principal"].subject
            elif scope["path"] != openapi.PATH:
                await errors.send_problem(errors.Unauthenticated("missing"), scope, receive, send)
                return
        await self.app(scope, receive, send)


@pytest.fixture
def database_path(tmp_path: Path) -> Path:
    """The SQLite file."""
    return tmp_path / "clearstory.db"


@pytest.fixture
def database_url(database_path: Path) -> str:
    """Its URL."""
    return f"sqlite+aiosqlite:///{database_path}"


def build(url: str) -> FastAPI:
    """An application of the resources alone."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await app.state.database.start()
        yield
        await app.state.database.close()

    app = FastAPI(
        title="Clearstory",
        version="0",
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        generate_unique_id_function=openapi.operation_id,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    errors.install(app)
    for module in (profiles, jobs, applications):
        app.include_router(module.router)
    openapi.install(app)
    telemetry = instrument(app, TelemetrySettings(service_name="clearstory"), layers=(Layer("gateway", StandIn, {}),))
    app.state.database = Database(url, telemetry)
    return app


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    """The application, started."""
    app = build(database_url)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def database(app: FastAPI) -> Database:
    """Its database."""
    return app.state.database


@pytest.fixture
def token() -> Callable[[str], dict[str, str]]:
    """The headers of a caller."""
    return lambda subject: {"Authorization": f"Bearer {subject}"}


@pytest.fixture
async def client(app: FastAPI, token) -> AsyncIterator[httpx.AsyncClient]:
    """Alice's client."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test", headers=token("alice")) as client:
        yield client
