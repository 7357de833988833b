"""Machines stand still for seconds, and run at a tenth of their speed: neither is what a test is about."""

import asyncio
from collections.abc import Callable

from service.database import engine
from service.server import closing

# How long to wait for what must come: only what never comes takes so long. Seconds.
PATIENCE = 60.0


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds that no event tells of."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)


def take_time() -> None:
    """Let this process's service wait for its database and its clients as patiently as a test does for it."""
    engine.WAIT_SECONDS = engine.PROBE_SECONDS = PATIENCE
    closing.LINGER = PATIENCE
