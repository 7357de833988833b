"""Calls that end in every way at every point, and what they leave behind."""

import asyncio
from collections import Counter
from random import Random

import pytest

from service.llm.errors import Overspent
from tests.service.limits.budgets import Built, Limits

CALLS, ROUNDS = 10_000, 100
KEYS = [f"sub:{number}" for number in range(40)]
POLICIES = {"llm": Limits(tokens=5_000, concurrency=4)}
PROVIDERS = {"first": Limits(tokens=50_000)}
ENDS = {Overspent: "refused", ValueError: "failed", TimeoutError: "timed out", asyncio.CancelledError: "cancelled"}


async def call(built, random):
    """One call, which says what it used piece by piece, and may fail or time out at its end."""
    key, end = random.choice(KEYS), random.random()
    await asyncio.sleep(0)
    async with built.admitted(random.randrange(1_500), key=key) as admission:
        await asyncio.sleep(0)
        async with built.limits.provider("first", reserve=500) as attempt:
            for piece in range(random.randrange(12)):
                await asyncio.sleep(0)
                admission.used(piece)
                attempt.used(piece)
            if end < 0.1:
                raise ValueError
            if end < 0.2:
                async with asyncio.timeout(0):
                    await asyncio.Event().wait()


async def ended(task):
    """How a call ended."""
    try:
        await task
    except tuple(ENDS) as error:
        return ENDS[type(error)]
    return "done"


async def cancel(task, turns):
    """Cancel a task after so many turns of the event loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()


@pytest.mark.parametrize("seed", range(3))
async def test_ten_thousand_calls_a_third_cancelled_leak_nothing(seed):
    """10,000 calls, a third of them cancelled at random points and others failing: 0 slots, 0 reservations left."""
    random, built, ends = Random(seed), Built(POLICIES, PROVIDERS), Counter()
    for _ in range(ROUNDS):
        tasks = [asyncio.create_task(call(built, random)) for _ in range(CALLS // ROUNDS)]
        cancels = [asyncio.create_task(cancel(task, random.randrange(8))) for task in tasks if random.random() < 0.6]
        ends.update(await asyncio.gather(*map(ended, tasks)))
        await asyncio.gather(*cancels)
        built.clock.now += 20.0
    assert ends.total() == CALLS
    assert ends["cancelled"] >= CALLS // 3
    assert all(ends[end] > 100 for end in ("done", *ENDS.values()))

    assert (built.slots.in_use("llm"), built.slots.keys("llm")) == (0, 0)
    assert built.metric("rate_limit_concurrency_in_use", policy="llm") == 0
    assert built.metric("llm_tokens_reserved", policy="llm") == 0
    assert built.metric("llm_provider_tokens_reserved", gen_ai_provider_name="first") == 0
    built.clock.now += 60.0
    for key in KEYS:  # the whole of every limit is there again
        async with built.admitted(5_000, key=key), built.admitted(0, key=key), built.admitted(0, key=key):
            pass
    async with built.limits.provider("first", reserve=50_000):
        pass
