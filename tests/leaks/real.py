"""The real service with a few more routes, in this process, and everything that leaves it kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import text

from service.access import bearer
from service.app import create_app
from service.commands.token import make_token
from service.database.models import Profile
from service.settings import Settings
from tests.leaks.wire import PSEUDONYM_KEY, Instrumented, Wire, served
from tests.patience import PATIENCE
from tests.story_service import add_routes

SECRET = "s" * 64
LIMITS = '{"default": {"limit": 10000000}, "auth": {"limit": 10000000}}'


class Note(BaseModel):
    """What somebody wrote."""

    note: str


def add_leaky_routes(app: FastAPI) -> None:
    """Add routes that do with a text what one should not."""
    add_routes(app)

    def literal(note: str) -> str:
        return note.replace("'", "''").replace(":", r"\:")

    @app.post("/statement", tags=["test"], **bearer())
    async def statement(body: Note) -> None:
        async with app.state.database.transaction() as session:
            await session.execute(text(f"SELECT '{literal(body.note)}' AS note"))

    @app.post("/wrong-statement", tags=["test"], **bearer())
    async def wrong_statement(body: Note) -> None:
        async with app.state.database.transaction() as session:
            await session.execute(text(f"SELECT '{literal(body.note)}' FROM nowhere"))  # noqa: S608

    @app.post("/broken-rule", tags=["test"], **bearer())
    async def broken_rule(body: Note) -> None:
        # Past `transaction`, which would reduce the error: what a driver says reaches telemetry whole.
        engine = app.state.database._engine
        async with engine.begin() as connection:
            await connection.execute(Profile.__table__.insert(), [{"owner": body.note, "name": body.note}])


def environment(wire: Wire, directory: Path, **given: str) -> dict[str, str]:
    """Settings that send everything to a wire."""
    return {
        "DATA_DIR": str(directory),
        "JWT_SECRET": SECRET,
        "RATE_LIMITS": LIMITS,
        "OTEL_EXPORTER_OTLP_ENDPOINT": wire.otlp.endpoint,
        "SENTRY_DSN": wire.sentry.dsn,
        "SENTRY_TRACES_SAMPLE_RATE": "1",
        "LLM_CONNECT_SECONDS": str(PATIENCE),
        "PII_PSEUDONYM_KEY": PSEUDONYM_KEY.decode(),
        **given,
    }


@asynccontextmanager
async def real(wire: Wire, directory: Path, **given: str) -> AsyncIterator[Instrumented]:
    """Run the service; the client is Alice's."""
    settings = Settings.load(environment(wire, directory, **given))
    app = create_app(settings)
    add_leaky_routes(app)
    authorization = f"Bearer {make_token(settings, 'alice', (), 600)}"
    async with served(app, app.state.telemetry, wire, Authorization=authorization) as running:
        yield running
