"""Machines stand still for seconds, and run at a tenth of their speed: neither is what a test is about."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service import shutdown
from service.auth import jwks
from service.database import engine
from service.limits import configured
from service.server import closing
from telemetry import accounts, lifecycle
from telemetry.sentry import client

# How long to wait for what must come: only what never comes takes so long. Seconds.
PATIENCE = 60.0


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds that no event tells of."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)


def take_time() -> None:
    """Let this process's service wait for its database, its Redis and its clients as patiently as a test does for it.

    No layer is slow enough for a span of its own, which would be one more than a test expects.
    """
    engine.WAIT_SECONDS = engine.PROBE_SECONDS = PATIENCE
    closing.LINGER = PATIENCE
    configured.REDIS_DEADLINE_SECONDS = PATIENCE
    jwks.FETCH_TIMEOUT_SECONDS = PATIENCE
    accounts.SLOW_LAYER_SECONDS = float("inf")


def take_time_to_flush() -> None:
    """Let it flush its telemetry for as long as that takes: whoever receives it answers."""
    lifecycle.FLUSH_SECONDS = lifecycle.WRITE_OUT_SECONDS = client.CLOSE_SECONDS = PATIENCE
    shutdown.CLOSING = 3 * PATIENCE


@contextmanager
def time_to_flush() -> Iterator[None]:
    """The same for the length of a `with`."""
    before = lifecycle.FLUSH_SECONDS, lifecycle.WRITE_OUT_SECONDS, client.CLOSE_SECONDS, shutdown.CLOSING
    take_time_to_flush()
    try:
        yield
    finally:
        lifecycle.FLUSH_SECONDS, lifecycle.WRITE_OUT_SECONDS, client.CLOSE_SECONDS, shutdown.CLOSING = before
