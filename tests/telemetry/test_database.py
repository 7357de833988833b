"""SQL spans without literals, and the pool."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import column, insert, select, table, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from telemetry import Telemetry
from telemetry.testing import Recorder
from tests.telemetry.asgi import Watched, serving, watch

MARKER = "marker-literal"
PEOPLE = table("people", column("id"), column("name"))


@pytest.fixture
def watched() -> Watched:
    """An app's telemetry."""
    return watch(FastAPI())


@pytest.fixture
async def engine(watched: Watched, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """A watched engine over a file with one table."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/shop.db", pool_size=2, max_overflow=1)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)"))
    watched.telemetry.watch_engine(engine)
    yield engine
    await engine.dispose()


def sql_spans(recorder: Recorder) -> list:
    """The spans of statements."""
    return [span for span in recorder.spans if span.kind.name == "CLIENT"]


async def test_statement_is_a_span(watched: Watched, engine: AsyncEngine) -> None:
    """A statement is a CLIENT span with the stable names, called by operation and database, never by a path."""
    async with engine.begin() as connection:
        await connection.execute(select(PEOPLE.c.name).where(PEOPLE.c.name == MARKER))
    (span,) = [span for span in sql_spans(watched.recorder) if span.name.startswith("SELECT")]
    assert span.name == "SELECT shop"
    assert span.attributes["db.system.name"] == "sqlite"
    assert span.attributes["db.operation.name"] == "SELECT"
    assert span.attributes["db.namespace"] == "shop"
    assert "db.statement" not in span.attributes
    assert "db.system" not in span.attributes


async def test_span_has_no_literal(watched: Watched, engine: AsyncEngine, tmp_path: Path) -> None:
    """No value of a statement and no path of the machine is in any span."""
    async with engine.begin() as connection:
        await connection.execute(insert(PEOPLE).values(id=1, name=MARKER))
        await connection.execute(select(PEOPLE).where(PEOPLE.c.name.in_([MARKER, "other"])))
        await connection.execute(insert(PEOPLE), [{"id": 2, "name": MARKER}, {"id": 3, "name": MARKER}])
    spans = sql_spans(watched.recorder)
    everything = "".join(span.to_json() for span in spans)
    assert len(spans) >= 3
    assert MARKER not in everything
    assert str(tmp_path) not in everything


async def test_statement_is_in_its_requests_trace(tmp_path: Path) -> None:
    """A request's statements are children in the request's trace."""
    app = FastAPI()
    telemetry, recorder = watch(app)
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/shop.db")
    telemetry.watch_engine(engine)

    @app.get("/")
    async def ask() -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async with serving(app) as served:
        answer = await served.get("/")
    await engine.dispose()
    spans = [span for span in sql_spans(recorder) if span.name.startswith("SELECT")]
    assert len(spans) == 1
    assert f"{spans[0].context.trace_id:032x}" == answer.trace_id
    assert spans[0].parent.span_id == recorder.server_spans()[0].context.span_id


async def test_failed_statement_names_its_class_only(watched: Watched, engine: AsyncEngine) -> None:
    """A failed statement's span has the error's class as type and description; the error's text is nowhere."""
    async with engine.begin() as connection:
        await connection.execute(insert(PEOPLE).values(id=1, name=MARKER))
    watched.recorder.clear()
    with pytest.raises(IntegrityError):
        async with engine.begin() as connection:
            await connection.execute(insert(PEOPLE).values(id=1, name=MARKER))
    (span,) = [span for span in sql_spans(watched.recorder) if span.name.startswith("INSERT")]
    assert span.status.status_code.name == "ERROR"
    assert span.status.description == span.attributes["error.type"] == "IntegrityError"
    assert "UNIQUE" not in span.to_json()
    assert MARKER not in span.to_json()


async def test_statement_that_does_not_compile_leaves_no_open_span(watched: Watched, engine: AsyncEngine) -> None:
    """Bad SQL is a failed span; the next statement has a span of its own."""
    with pytest.raises(OperationalError):
        async with engine.connect() as connection:
            await connection.execute(text("SELECT FROM nowhere"))
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    failed, fine = [span for span in sql_spans(watched.recorder) if span.name.startswith("SELECT")]
    assert (failed.status.status_code.name, fine.status.status_code.name) == ("ERROR", "UNSET")
    assert "nowhere" not in str(failed.status.description)


@pytest.mark.parametrize(
    "statement", ["-- a note\nSELECT 1", "/* note */ SELECT 1", "SELECT\n(SELECT 1)", "  select 1"]
)
async def test_any_statement_is_served(watched: Watched, engine: AsyncEngine, statement: str) -> None:
    """A statement that begins with a comment, a bracket or spaces runs as without telemetry."""
    async with engine.connect() as connection:
        assert (await connection.execute(text(statement))).scalar() == 1
    assert len(sql_spans(watched.recorder)) >= 1


def pool(recorder: Recorder) -> tuple[float | None, ...]:
    """Connections used and idle."""
    name = "db_client_connections_usage"
    return tuple(recorder.metric(name, pool_name="default", state=state) for state in ("used", "idle"))


async def test_pool_is_measured(watched: Watched, engine: AsyncEngine) -> None:
    """Used, idle and the most that may be open are what the pool has."""
    assert pool(watched.recorder) == (0, 1)
    async with engine.connect() as one, engine.connect() as other:
        await one.execute(text("SELECT 1"))
        await other.execute(text("SELECT 1"))
        assert pool(watched.recorder) == (2, 0)
    assert pool(watched.recorder) == (0, 2)
    assert watched.recorder.metric("db_client_connections_max", pool_name="default") == 3


async def test_waiting_is_measured(watched: Watched) -> None:
    """Who waits for a connection is pending, until it has one, gives up or fails."""
    telemetry: Telemetry = watched.telemetry

    def pending() -> float | None:
        return watched.recorder.metric("db_client_connections_pending_requests", pool_name="default")

    async def wait() -> None:
        with telemetry.pool_wait():
            await asyncio.sleep(10)

    assert pending() == 0
    tasks = [asyncio.create_task(wait()) for _ in range(3)]
    await asyncio.sleep(0)
    assert pending() == 3
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert pending() == 0


async def test_two_engines_are_watched(watched: Watched, engine: AsyncEngine, tmp_path: Path) -> None:
    """A second engine's statements have spans of their own, once each."""
    second = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/other.db")
    watched.telemetry.watch_engine(second)
    async with second.connect() as connection:
        await connection.execute(text("SELECT 1"))
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    await second.dispose()
    names = [span.name for span in sql_spans(watched.recorder) if span.name.startswith("SELECT")]
    assert names == ["SELECT other", "SELECT shop"]
