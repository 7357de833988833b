"""The real service, or a small application, in this process: its answers beside what its telemetry said."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.app import create_app
from service.commands.token import make_token
from service.settings import Settings
from telemetry import TelemetrySettings, instrument
from telemetry.testing import Recorder
from tests.patience import PATIENCE
from tests.story_service import add_routes

LIMITS = '{"default": {"limit": 1000000}, "auth": {"limit": 1000000}}'


@dataclass
class Served:
    """An application that runs, what it told, and how to call it."""

    app: FastAPI
    recorder: Recorder
    settings: Settings | None = None
    client: httpx.AsyncClient = field(init=False)

    def client_from(self, address: str, **headers: str) -> httpx.AsyncClient:
        """A client at an address."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 50000))
        return httpx.AsyncClient(transport=transport, base_url="http://service.test", headers=headers)

    def bearer(self, subject: str) -> dict[str, str]:
        """The header that says who calls."""
        assert self.settings is not None
        return {"Authorization": f"Bearer {make_token(self.settings, subject, (), 600)}"}


Serve = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def real(tmp_path: Path) -> Serve:
    """The real service with the tests' own routes beside its; the client is Alice's, on loopback."""

    @asynccontextmanager
    async def serve(**environ: str) -> AsyncIterator[Served]:
        given = {
            "DATA_DIR": str(tmp_path),
            "JWT_SECRET": "s" * 64,
            "RATE_LIMITS": LIMITS,
            "LLM_CONNECT_SECONDS": str(PATIENCE),
            "PROMPT_CACHE_WARM_ON_STARTUP": "false",  # there is no provider
        }
        settings = Settings.load(given | environ)
        app = create_app(settings)
        add_routes(app)
        recorder = Recorder(app.state.telemetry)
        async with app.router.lifespan_context(app):
            recorder.clear()  # of the start
            served = Served(app, recorder, settings)
            async with served.client_from("127.0.0.1", **served.bearer("alice")) as served.client:
                yield served

    return serve


@pytest.fixture
def small() -> Serve:
    """An application that is not ours, instrumented with one call."""

    @asynccontextmanager
    async def serve(app: FastAPI, **options: Any) -> AsyncIterator[Served]:
        recorder = Recorder(instrument(app, TelemetrySettings(service_name="small"), **options))
        async with app.router.lifespan_context(app):
            served = Served(app, recorder)
            async with served.client_from("127.0.0.1") as served.client:
                yield served

    return serve
