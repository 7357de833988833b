"""What a decision over Redis costs this process, beside a plain EVALSHA of the driver's own client for each."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from statistics import median
from struct import pack
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import TracerProvider
from redis.asyncio import Redis

from service.limits import SlidingWindow
from service.limits.redis import RedisBackend
from service.limits.redis.script import load
from service.settings import RateLimitPolicy
from telemetry import TelemetrySettings
from telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Decide = Callable[[str], Awaitable[object]]

LIMIT, WINDOW = 300, 60.0
CONCURRENT = 16
CALLERS = 1600
PATIENCE = 60.0
"""Instead of the deadline: a decision that waits costs as much as another, one without Redis less. Seconds."""
_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU of a decision, user and kernel, in microseconds: medians of the rounds.

    Attributes:
        ours: over Redis.
        alone: the same, one at a time.
        plain: an EVALSHA each.
        memory: in memory.
        ratio: of `plain` to `ours`, median of the rounds' ratios.
    """

    ours: float
    alone: float
    plain: float
    memory: float
    ratio: float


async def measure(url: str, rounds: int, decisions: int) -> Costs:
    """Measure in turns, each within a span that is recorded, as a request's is.

    Args:
        url: of a Redis of its own.
        rounds: how often.
        decisions: of each kind in a round.
    """
    policies = {"default": RateLimitPolicy(LIMIT, WINDOW)}
    metrics = Metrics(TelemetrySettings(service_name="benchmark"))
    backend = RedisBackend(url, policies, secret=b"benchmark", metrics=lambda: metrics, deadline=PATIENCE)
    await backend.start()
    window = SlidingWindow(policies)
    script = load("sliding_window")
    argument = pack(">ddB", LIMIT, WINDOW * _MICROSECONDS, 1)
    digest = script.digest.decode()
    found: list[tuple[float, float, float, float]] = []
    async with Redis.from_url(url) as client:
        await client.script_load(script.source)
        kinds: list[tuple[Decide, int]] = [
            (lambda key: backend.limiter.hit("default", key), CONCURRENT),
            (lambda key: backend.limiter.hit("default", key), 1),
            (lambda key: client.evalsha(digest, 1, f"plain:{key}", argument), CONCURRENT),
            (lambda key: window.hit("default", key), CONCURRENT),
        ]
        for number in range(rounds + 1):
            costs = [await _cost(decide, concurrent, decisions) for decide, concurrent in kinds]
            if number:  # the first one warms up
                found.append((costs[0], costs[1], costs[2], costs[3]))
    unanswered = metrics.registry.get_sample_value("rate_limit_backend_errors_total")
    await backend.close()
    if unanswered:
        raise RuntimeError(f"{unanswered:.0f} decisions were made without Redis: it was too slow to be measured")
    ours, alone, plain, memory = (median(column) for column in zip(*found, strict=True))
    return Costs(ours, alone, plain, memory, median(each[2] / each[0] for each in found))


async def _cost(decide: Decide, concurrent: int, decisions: int) -> float:
    tracer = TracerProvider().get_tracer("benchmark")

    async def caller(number: int) -> None:
        with tracer.start_as_current_span("request"):
            for turn in range(decisions // concurrent):
                await decide(f"sub:{(turn * concurrent + number) % CALLERS}")

    begun = time.process_time()
    await asyncio.gather(*(caller(number) for number in range(concurrent)))
    return (time.process_time() - begun) / decisions * _MICROSECONDS
