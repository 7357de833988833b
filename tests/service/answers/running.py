"""The application in this process, with callers that have a profile."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan

from service.app import create_app
from service.commands.token import make_token
from service.settings import Settings
from telemetry import names
from telemetry.testing import Recorder
from tests.patience import PATIENCE
from tests.service.answers.asking import ME, PROFILE

LIMITS = """{"default": {"limit": 100000}, "auth": {"limit": 100000}, "llm": {"limit": 1000, "tokens": 400000},
"questions": {"limit": 1000, "tokens": 400000}}"""
_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Service:
    """An application that has started."""

    app: FastAPI
    settings: Settings
    recorder: Recorder
    database: Path

    @asynccontextmanager
    async def client(self, subject: str = "", **profile: Any) -> AsyncIterator[httpx.AsyncClient]:
        """A client of somebody with a profile; by default of nobody who was there before."""
        subject = subject or f"caller-{next(_NUMBERS)}"
        token = make_token(self.settings, subject, (), 600)
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://service.test", headers=headers) as client:
            await client.put(ME, json=PROFILE | profile)
            yield client

    def metric(self, sample: str, **labels: str) -> float:
        """A sample's value."""
        value = self.recorder.metric(sample, **labels)
        assert value is not None, sample
        return value

    def is_at_rest(self) -> bool:
        """Whether no slot is taken and no token set aside, neither callers' nor providers'."""
        gauges = ("rate_limit_concurrency_in_use", "llm_tokens_reserved")
        held = [self.metric(gauge, policy=policy) for gauge in gauges for policy in ("llm", "questions")]
        for each in self.settings.llm.providers:
            held += [self.metric("llm_provider_tokens_reserved", gen_ai_provider_name=each.name)]
        return not any(held)

    def call_spans(self) -> list[ReadableSpan]:
        """The spans of calls of a language model."""
        return [span for span in self.recorder.spans if names.ATTR_GENAI_MODEL in span.attributes]

    def close_breakers(self) -> None:
        """Forget what providers have failed with."""
        for breaker in self.app.state.assistance.router._breakers.values():
            breaker.succeeded()


@asynccontextmanager
async def started(directory: Path, **environ: str) -> AsyncIterator[Service]:
    """An application that has started, with hardly a pause before it asks again."""
    given = {"DATA_DIR": str(directory), "JWT_SECRET": "s" * 64, "PII_PSEUDONYM_KEY": "k" * 64}
    given["LLM_CONNECT_SECONDS"] = str(PATIENCE)
    settings = Settings.load(given | {"RATE_LIMITS": LIMITS, "PROMPT_CACHE_WARM_ON_STARTUP": "false"} | environ)
    app = create_app(settings)
    app.state.assistance.router._jitter = lambda: 0.02
    recorder = Recorder(app.state.telemetry)
    async with app.router.lifespan_context(app):
        yield Service(app, settings, recorder, directory / "clearstory.db")
