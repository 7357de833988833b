"""Processes that count together, each with a backend of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from service.limits.redis import RedisBackend
from service.limits.redis import keeper as keeping
from service.settings import RateLimitPolicy
from telemetry import TelemetrySettings
from telemetry.metrics import Metrics
from tests.patience import PATIENCE, until

POLICIES = {"default": RateLimitPolicy(limit=10, window=3600.0), "single": RateLimitPolicy(limit=1, window=3600.0)}


class Replica:
    """One process's backend."""

    def __init__(self, backend: RedisBackend, metrics: Metrics) -> None:
        self.backend = backend
        self.limiter = backend.limiter
        self._metrics = metrics

    def metric(self, name: str) -> float:
        """A metric's value, whatever its labels."""
        samples = [s for family in self._metrics.registry.collect() for s in family.samples if s.name == name]
        (value,) = [sample.value for sample in samples if sample.labels in ({}, {"backend": "redis"})]
        return value

    async def admitted(self, hits: int, policy: str = "default", key: str = "ada") -> int:
        """How many of so many hits are admitted."""
        return sum([(await self.limiter.hit(policy, key)).allowed for _ in range(hits)])

    async def decides_by(self, by: str) -> None:
        """Wait until it is decided that way."""
        await until(lambda: self.backend.deciding().by == by)


Replicas = Callable[..., AbstractAsyncContextManager[Replica]]


@pytest.fixture
def replica() -> Replicas:
    """Starts a backend; those with the same secret count together."""

    @asynccontextmanager
    async def start(url: str, secret: bytes, policies=POLICIES, deadline: float = PATIENCE) -> AsyncIterator[Replica]:
        metrics = Metrics(TelemetrySettings(service_name="replica"))
        metrics.allow("policy", *policies)
        backend = RedisBackend(url, policies, secret=secret, metrics=lambda: metrics, deadline=deadline)
        try:
            await backend.start()
            yield Replica(backend, metrics)
        finally:
            await backend.close()

    return start


@pytest.fixture
def quick_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes know of each other at once, and come back at once."""
    monkeypatch.setattr(keeping, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(keeping, "RETURN_SECONDS", 0.01)
    monkeypatch.setattr(keeping, "LONGEST_PAUSE", 0.05)
