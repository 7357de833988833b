"""The real application over a database of its own, and clients that call it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from service.app import create_app
from service.commands.token import make_token
from service.database import Database, sqlite
from service.settings import Settings
from telemetry.testing import Recorder
from tests.patience import PATIENCE
from tests.service.postgresql import PostgreSQL

MakeSettings = Callable[..., Settings]
LIMITS = '{"default": {"limit": 100000}, "auth": {"limit": 100000}}'


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server of the tests' own."""
    if not PostgreSQL.installed():
        pytest.skip("no PostgreSQL server on this machine; `apt-get install postgresql` brings one")
    with PostgreSQL() as server:
        yield server


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """Which database; a test says otherwise with `parametrize(..., indirect=True)`."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def settings(tmp_path: Path, backend: str, request: pytest.FixtureRequest) -> MakeSettings:
    """Settings of a service that lives under the test's own folder, with limits that no test meets."""
    given = {
        "DATA_DIR": str(tmp_path),
        "JWT_SECRET": "s" * 64,
        "RATE_LIMITS": LIMITS,
        "LLM_CONNECT_SECONDS": str(PATIENCE),
        "PROMPT_CACHE_WARM_ON_STARTUP": "false",  # there is no provider, unless a test starts one
    }
    if backend == "postgresql":
        given["DATABASE_URL"] = request.getfixturevalue("postgresql").new_database()

    def make(**environ: str) -> Settings:
        return Settings.load(given | environ)

    return make


@pytest.fixture
def database_path(tmp_path: Path) -> Path:
    """The SQLite file."""
    return tmp_path / "clearstory.db"


@pytest.fixture
def patient_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite whose connections wait for each other for as long as it takes."""
    monkeypatch.setattr(sqlite, "_MAX_BUSY_SECONDS", PATIENCE)


@pytest.fixture
def recorder(built: FastAPI) -> Recorder:
    """What the application tells."""
    return Recorder(built.state.telemetry)


@pytest.fixture
def built(settings: MakeSettings) -> FastAPI:
    """The application, before its start."""
    return create_app(settings())


@pytest.fixture
async def app(built: FastAPI, recorder: Recorder) -> AsyncIterator[FastAPI]:
    """The application, started."""
    async with built.router.lifespan_context(built):
        yield built


@pytest.fixture
def database(app: FastAPI) -> Database:
    """Its database."""
    return app.state.database


@pytest.fixture
def token(settings: MakeSettings) -> Callable[[str], str]:
    """A bearer token for a subject."""
    return lambda subject: make_token(settings(), subject, (), 600)


@pytest.fixture
def client_of(app: FastAPI, token):
    """A client for a subject, as a context manager."""

    @asynccontextmanager
    async def make(subject: str) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token(subject)}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://service.test", headers=headers) as client:
            yield client

    return make


@pytest.fixture
async def client(client_of) -> AsyncIterator[httpx.AsyncClient]:
    """Alice's client."""
    async with client_of("alice") as client:
        yield client


@pytest.fixture
async def bob(client_of) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody else's client."""
    async with client_of("bob") as client:
        yield client
