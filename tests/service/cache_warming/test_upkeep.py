"""With traffic the prefixes stay warm, without it nothing is spent."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from service.app import create_app
from service.cache_warming.prefix import pays
from service.llm.prices import PRICES, USUAL, Price
from service.settings import Settings
from tests.service.cache_warming.simulation import NAMES, TTL, build, now, poisson, prompt, virtually, warming

DAY = 24 * 3600.0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("calls_a_ttl", [2, 3, 10, 100])
def test_calls_read_the_cached_prefix(calls_a_ttl: float, seed: int) -> None:
    """Over a day at least 95 % of the calls read the prefix, from two calls a TTL on, that come at random."""

    async def scenario() -> None:
        async with warming(build()) as world:
            await asyncio.sleep(1)
            await world.traffic(poisson(calls_a_ttl, seed), until=DAY)
            assert sum(world.reads) / len(world.reads) >= 0.95
            assert world.unused_when_warmed() == []

    virtually(scenario())


def test_regular_calls_all_read_the_prefix() -> None:
    """Calls every 8 minutes, each after the cache's 5 minutes have run out, all read what was warmed for them."""

    async def scenario() -> None:
        async with warming(build()) as world:
            await asyncio.sleep(1)
            world.call()
            await world.traffic(lambda: 480.0, until=DAY)
            assert all(world.reads)
            assert world.unused_when_warmed() == []

    virtually(scenario())


def test_unused_prompts_are_warmed_once() -> None:
    """A day without a call: each prefix is warmed at the start, and never again."""

    async def scenario() -> None:
        async with warming(build([prompt(name) for name in NAMES])) as world:
            await asyncio.sleep(DAY)
            assert sorted(name for _, name in world.provider.warmed) == sorted(NAMES)
            assert max(at for at, _ in world.provider.warmed) < 10

    virtually(scenario())


@pytest.mark.parametrize("seed", range(5))
def test_prompt_unused_for_a_ttl_is_never_warmed_again(seed: int) -> None:
    """In bursts and silences of every length, over several prompts: 0 warm-ups of a prompt unused for a TTL."""

    async def scenario() -> None:
        random = Random(seed)
        async with warming(build([prompt(name) for name in NAMES])) as world:
            await asyncio.sleep(5)
            while now() < DAY:
                await asyncio.sleep(random.choice([0.1, 5.0, TTL * 0.7, TTL, TTL * 1.9, TTL * 10]) * random.random())
                world.call(random.randrange(len(NAMES)))
            assert world.unused_when_warmed(after=5) == []
            assert len(world.provider.warmed) > len(NAMES)

    virtually(scenario())


def test_busy_prompt_keeps_itself_warm() -> None:
    """A call every 10 seconds moves the next warm-up on: none is made after the start's."""

    async def scenario() -> None:
        async with warming(build()) as world:
            await asyncio.sleep(1)
            await world.traffic(lambda: 10.0, until=3600)
            assert len(world.provider.warmed) == 1
            assert all(world.reads)

    virtually(scenario())


@pytest.mark.parametrize("calls_a_ttl", [0.3, 0.5, 1, 2, 5])
def test_upkeep_costs_less_than_none(calls_a_ttl: float) -> None:
    """Over three days of calls at random the upkeep saves more than it costs, at low rates too."""

    async def price(*, upkeep: bool) -> float:
        world = build(at_start=False)
        if upkeep:
            world.warmer.start()
        await world.traffic(poisson(calls_a_ttl, seed=1), until=3 * DAY)
        await world.warmer.stop()
        return world.provider.price

    prices = []

    async def scenario(*, upkeep: bool) -> None:
        prices.append(await price(upkeep=upkeep))

    virtually(scenario(upkeep=True))
    virtually(scenario(upkeep=False))
    assert prices[0] < prices[1]


def test_warming_at_the_start_can_be_left_out() -> None:
    """Without the start's warming nothing is sent before a call; after one the upkeep is the same."""

    async def scenario() -> None:
        async with warming(build(at_start=False)) as world:
            await asyncio.sleep(3600)
            assert world.provider.warmed == []
            world.call()
            await asyncio.sleep(1.7 * TTL)
            world.call()
            assert world.reads == [False, True]
            assert len(world.provider.warmed) == 1

    virtually(scenario())


def test_long_call_counts_from_its_beginning() -> None:
    """A call that took 200 seconds has kept the prefix for 100 more: it is warmed in time."""

    async def scenario() -> None:
        async with warming(build(at_start=False)) as world:
            usage = world.provider.use(world.prompts[0])
            await asyncio.sleep(200)
            world.warmer.called("first", usage, seconds=200)
            await asyncio.sleep(100)
            ((at, _),) = world.provider.warmed
            assert 0.8 * TTL <= at <= 0.92 * TTL

    virtually(scenario())


def test_due_times_differ() -> None:
    """What was called at one moment is not warmed at one moment."""

    async def scenario() -> None:
        prompts = [prompt(f"prompt_{number}") for number in range(40)]
        async with warming(build(prompts, at_start=False)) as world:
            for number in range(40):
                world.call(number)
            await asyncio.sleep(TTL)
            moments = {round(at) for at, _ in world.provider.warmed}
            assert len(world.provider.warmed) == 40
            assert len(moments) >= 4
            assert max(moments) - min(moments) >= TTL / 20

    virtually(scenario())


def test_prefixes_lost_under_load_are_found_again() -> None:
    """A provider that forgets prefixes every minute costs its callers one read each time, and no warm-up more."""

    async def scenario() -> None:
        async with warming(build()) as world:
            await asyncio.sleep(1)
            traffic = asyncio.create_task(world.traffic(lambda: 3.0, until=3600))
            while not traffic.done():
                await asyncio.sleep(60)
                world.provider.forget()
            assert sum(world.reads) / len(world.reads) >= 0.95
            assert len(world.provider.warmed) == 1

    virtually(scenario())


@pytest.mark.parametrize(
    ("calls", "warm", "expected"),
    [(0, True, False), (0, False, False), (1, True, True), (1, False, False), (2, False, True)],
)
@pytest.mark.parametrize("price", [USUAL, *PRICES.values()])
def test_what_pays(calls: int, warm: bool, expected: bool, price: Price) -> None:
    """One call in the last TTL is worth a read, two are worth a write, none is worth nothing."""
    assert pays(calls, 1500, price, warm=warm) is expected


@pytest.mark.parametrize(
    ("price", "calls", "warm", "expected"),
    [
        (Price(1.0, 5.0, 0.7), 1, True, False),
        (Price(1.0, 5.0, 0.7), 2, True, True),
        (Price(1.0, 5.0, 0.7), 2, False, False),
        (Price(1.0, 5.0, 1.25), 100, True, False),
        (Price(1.0, 5.0, 0.0), 1, True, True),
        (Price(0.0, 0.0, 0.0), 100, True, False),
    ],
)
def test_what_pays_is_the_model_s_own_price(price: Price, calls: int, warm: bool, expected: bool) -> None:
    """The dearer a model's cache is to read the more calls a warm-up takes; where nothing is saved there is none."""
    assert pays(calls, 1500, price, warm=warm) is expected


def test_the_upkeep_knows_the_model_s_price() -> None:
    """One call a TTL keeps a prefix warm whose reading is cheap, and not one whose reading is dear."""

    async def warm_ups(price: Price) -> int:
        async with warming(build(at_start=False, price=price)) as world:
            world.call()
            await asyncio.sleep(TTL)
            return len(world.provider.warmed)

    async def scenario() -> None:
        assert await warm_ups(Price(1.0, 5.0, 0.1)) == 1
        assert await warm_ups(Price(1.0, 5.0, 0.7)) == 0

    virtually(scenario())


@pytest.mark.parametrize(
    ("model", "price"),
    [("claude-opus-5-5", PRICES["claude-opus-5-5"]), ("my-model", Price(1.0, 2.0, 0.7)), ("claude-9", USUAL)],
)
def test_the_service_s_upkeep_has_its_price_from_the_table(tmp_path: Path, model: str, price: Price) -> None:
    """The published price, the one in `LLM_PRICES`, or, where nobody knows it, most models' shares."""
    given = {"DATA_DIR": str(tmp_path), "JWT_SECRET": "s" * 64, "LLM_MODEL": model}
    mine = '{"my-model": {"input": 1, "output": 2, "cache_read": 0.7}}'
    prefixes = create_app(Settings.load(given | {"LLM_PRICES": mine})).state.assistance.warmer._prefixes.values()
    assert {prefix._price for prefix in prefixes} == {price}
