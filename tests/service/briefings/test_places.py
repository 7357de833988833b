"""Whoever waits for their own limits takes nobody's place."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from fastapi import FastAPI

from service.app import create_app
from service.briefings.places import Places
from service.briefings.runner import AT_A_TIME
from service.domain.ownership import owner_of
from tests.patience import PATIENCE
from tests.service.briefings.conftest import BRIEFINGS
from tests.service.llm.simulated.process import Provider

LIMITS = '{"default": {"limit": 100000}, "llm": {"limit": 1000, "concurrency": 1}}'


@pytest.fixture
def built(settings, simulated: Provider) -> FastAPI:
    """The application as it is; each caller may have one call at a time."""
    return create_app(settings(SIMULATED_PROVIDER_URL=simulated.url, RATE_LIMITS=LIMITS))


async def ended(client, location):
    """How a briefing has ended."""
    async with asyncio.timeout(PATIENCE):
        while (found := (await client.get(location)).json())["status"] in {"queued", "running"}:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
    return found["status"]


async def test_a_ninth_caller_does_not_wait_for_eight_at_their_limits(app, client_of, settled, recorder):
    """Eight callers have no call left; a ninth, who has used nothing, is done while they wait; then they are, too."""
    eight = [f"caller-{number}" for number in range(AT_A_TIME)]
    limits = app.state.assistance.guarded.admissions
    async with AsyncExitStack() as clients:
        async with AsyncExitStack() as calls:
            locations = {}
            for caller in eight:
                await calls.enter_async_context(limits.admitted("llm", owner_of(caller), reserve=1))
                client = await clients.enter_async_context(client_of(caller))
                locations[(await client.post(BRIEFINGS)).headers["Location"]] = client
            ninth = await clients.enter_async_context(client_of("caller-9"))
            assert await ended(ninth, (await ninth.post(BRIEFINGS)).headers["Location"]) == "done"
            assert {(await client.get(at)).json()["status"] for at, client in locations.items()} == {"running"}
            assert recorder.metric("briefings_unfinished", briefing_state="running") == 0
            assert recorder.metric("briefings_unfinished", briefing_state="queued") == AT_A_TIME
        assert [await ended(client, at) for at, client in locations.items()] == ["done"] * AT_A_TIME


async def test_whoever_comes_back_is_next():
    """Who had left a place goes before who has had none and waits longer; in turn among their like."""
    places, order = Places(1), []
    back = asyncio.Event()

    async def leave(name):
        async with places.place() as place:
            async with place.left():
                await back.wait()
            order.append(name)

    async def come(name):
        async with places.place():
            order.append(name)

    leaving = [asyncio.create_task(leave(name)) for name in ("first back", "second back")]
    await asyncio.sleep(0)
    async with places.place():
        coming = [asyncio.create_task(come(name)) for name in ("first", "second")]
        await asyncio.sleep(0)
        back.set()
        await asyncio.sleep(0)
        assert (order, places.taken) == ([], 1)
    await asyncio.gather(*leaving, *coming)
    assert order == ["first back", "second back", "first", "second"]
    assert places.taken == 0


async def test_whoever_does_not_come_back_has_no_place():
    """An error or a cancellation while a place is left, or waited for, neither takes one nor loses one."""
    places = Places(1)

    async def fail():
        async with places.place() as place, place.left():
            assert places.taken == 0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert places.taken == 0

    async def come():
        async with places.place():
            pass

    async with places.place():
        waiting, handed = asyncio.create_task(come()), asyncio.create_task(come())
        await asyncio.sleep(0)
        waiting.cancel()
    # It is `handed`'s by now, who does not hear of it any more.
    handed.cancel()
    await asyncio.gather(waiting, handed, return_exceptions=True)
    assert places.taken == 0
    await come()
