"""Probes: what they say, and what they cost the database."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from service import problems
from service.errors import Unavailable
from service.limits import MemoryBackend
from service.readiness import Readiness
from service.routes.health import health_router
from telemetry import TelemetrySettings, instrument


class Database:
    """Counts how often it is asked, and answers when told to."""

    def __init__(self):
        self.asked = 0
        self.answer = asyncio.Event()
        self.gone = False

    async def ping(self):
        self.asked += 1
        await self.answer.wait()
        if self.gone:
            raise Unavailable


@pytest.fixture
async def app():
    """The probes alone, instrumented."""
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    app.state.readiness = Readiness()
    app.state.database = Database()
    app.state.counts = MemoryBackend({}, lambda: app.state.telemetry.metrics)
    problems.install(app)
    app.include_router(health_router())
    instrument(app, TelemetrySettings(service_name="test"))
    return app


@pytest.fixture
async def client(app):
    """A client of it."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def test_alive_whatever_else(app, client):
    """`/healthz` is 200 before the start, while draining and without a database."""
    for _ in range(2):
        answer = await client.get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        app.state.readiness.drain()
    assert app.state.database.asked == 0


async def test_not_ready_says_why(app, client):
    """`/readyz` is 503 with its reason: starting, then the database, then draining."""

    async def reason():
        answer = await client.get("/readyz")
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code, answer.json()["reason"]

    assert await reason() == (503, "starting")
    app.state.readiness.started()
    app.state.database.answer.set()
    app.state.database.gone = True
    assert await reason() == (503, "database")
    app.state.database.gone = False
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "rate_limits": {"decided_by": "memory"}})
    app.state.readiness.drain()
    assert await reason() == (503, "draining")
    app.state.readiness.started()
    assert await reason() == (503, "draining")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_head_is_answered_like_get(app, client, path):
    """A probe by HEAD has the status and the headers of one by GET, ready or not."""
    app.state.database.answer.set()
    for move in (app.state.readiness.started, app.state.readiness.drain):
        move()
        get, head = await client.get(path), await client.head(path)
        assert head.status_code == get.status_code
        assert head.headers.keys() == get.headers.keys()
    assert (await client.delete(path)).headers["allow"] == "GET, HEAD"


async def test_probes_share_one_question(app, client):
    """However many probes wait, the database is asked once; one that gives up does not disturb the others."""
    app.state.readiness.started()
    probes = [asyncio.create_task(client.get("/readyz")) for _ in range(20)]
    for _ in range(1000):  # turns, of which each probe takes a few until it waits
        await asyncio.sleep(0)
    probes.pop().cancel()
    app.state.database.answer.set()
    answers = await asyncio.gather(*probes)
    assert {answer.status_code for answer in answers} == {200}
    assert app.state.database.asked == 1
    assert (await client.get("/readyz")).status_code == 200
    assert app.state.database.asked == 2
