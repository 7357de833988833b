"""The real application with a scripted language model."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI

from service.app import create_app
from service.domain.briefings import Draft
from telemetry.testing import Recorder
from tests.patience import PATIENCE
from tests.service.briefings.scripted import PROMPTS, Scripted
from tests.service.llm.simulated.process import Provider, provider

BRIEFINGS = "/api/v1/briefings"


@dataclass(frozen=True, slots=True)
class Stand:
    """Stands for the language model side: one model, prompts of one line, plain delimiters, and nothing warm."""

    model: Scripted
    prompts = PROMPTS
    warmer = None

    def model_for(self, draft: Draft, aside: object) -> Scripted:
        """Give the model, whoever asks."""
        return self.model

    @staticmethod
    def material(kind: str, text: str) -> str:
        """Mark a text as data."""
        return f"<untrusted-{kind}>\n{text}\n</untrusted-{kind}>"

    async def close(self) -> None:
        """Nothing is open."""


def equip(app: FastAPI, model: Scripted) -> FastAPI:
    """Give an application its model and prompts."""
    app.state.assistance = Stand(model)
    return app


@pytest.fixture(scope="module")
def simulated() -> Iterator[Provider]:
    """A provider that answers as fast as it can."""
    with provider() as running:
        yield running


@pytest.fixture
def model() -> Scripted:
    """Who answers."""
    return Scripted()


@pytest.fixture
def built(settings, model: Scripted) -> FastAPI:
    """The application, before its start."""
    return equip(create_app(settings()), model)


@pytest.fixture
def settled(app: FastAPI) -> Callable[[], object]:
    """Waits until no briefing is worked on."""
    return lambda: until_settled(app)


async def until_settled(app: FastAPI) -> None:
    """Wait until no briefing is worked on."""
    async with asyncio.timeout(PATIENCE):
        while tasks := list(app.state.briefings._tasks.values()):
            await asyncio.gather(*tasks)


@pytest.fixture
def second_start(settings, token):
    """Another process's start on the same database: gives the application, a client of Alice's and its recorder."""

    @asynccontextmanager
    async def start(model: Scripted) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient, Recorder]]:
        app = equip(create_app(settings()), model)
        recorder = Recorder(app.state.telemetry)
        headers = {"Authorization": f"Bearer {token('alice')}"}
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://service.test", headers=headers) as it:
                yield app, it, recorder

    return start
