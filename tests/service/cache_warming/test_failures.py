"""Whatever the provider does, the service starts, stops and sends no storm."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest

from service.cache_warming.warmer import CONCURRENCY, STOP_SECONDS
from service.llm.errors import InvalidCall, LlmError, Overspent, Refused, TooLong, Unavailable
from service.llm.model import Prompt, Usage
from telemetry import TelemetrySettings, names
from telemetry.lifecycle import Telemetry
from telemetry.testing import Recorder
from tests.service.cache_warming.simulation import NAMES, TTL, World, build, now, prompt, virtually, warming

PROMPTS = [prompt(name) for name in NAMES]
OUTCOME = names.ATTR_CACHE_WARMING_OUTCOME


async def uncached_traffic(world: World, until: float) -> None:
    """Let every prompt be called every ten seconds, by somebody whose calls no cache helps."""
    while now() < until:
        await asyncio.sleep(10)
        for each in world.prompts:
            world.warmer.called(each.name, Usage(input_tokens=1500))


def failing(error: Callable[[], Exception]):
    """A provider that answers every warm-up with an error, a new one each time."""

    async def fault(_prompt: Prompt) -> None:
        raise error()

    return fault


async def hanging(_prompt: Prompt) -> None:
    """A provider that accepts and never answers."""
    await asyncio.Event().wait()


def test_hanging_provider_does_not_delay_the_start() -> None:
    """Starting takes no time and awaits nothing, and a stop ends at once, while the warm-ups hang."""

    async def scenario() -> None:
        world = build(PROMPTS)
        world.provider.fault = hanging
        world.warmer.start()
        assert now() == 0
        await asyncio.sleep(1)
        assert len(world.provider.warmed) == CONCURRENCY
        await world.warmer.stop()
        assert now() == 1
        assert all(span.ended for span in world.spans.kept)
        assert {task.get_name() for task in asyncio.all_tasks()} == {asyncio.current_task().get_name()}

    virtually(scenario())


def test_stop_does_not_wait_for_a_call_that_does_not_let_go() -> None:
    """A call that holds on to its cancellation is left behind after a moment."""

    async def scenario() -> None:
        world, released = build(), asyncio.Event()

        async def stubborn(_prompt: Prompt) -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await released.wait()
                raise

        world.provider.fault = stubborn
        world.warmer.start()
        await asyncio.sleep(1)
        await world.warmer.stop()
        assert now() == pytest.approx(1 + STOP_SECONDS)
        assert STOP_SECONDS <= 0.1
        released.set()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)

    virtually(scenario())


def test_stop_before_the_start_and_twice() -> None:
    """A warmer that was never started, or is stopped again, has nothing to end."""

    async def scenario() -> None:
        world = build()
        await world.warmer.stop()
        async with warming(world):
            await world.warmer.stop()

    virtually(scenario())


def test_hanging_calls_are_ended() -> None:
    """A call has a tenth of the TTL; when it times out, the others of the cycle are not tried before the pause."""

    async def scenario() -> None:
        world = build(PROMPTS)
        world.provider.fault = hanging
        async with warming(world):
            await asyncio.sleep(TTL / 10 + 0.1)
            assert len(world.provider.warmed) == CONCURRENCY
            assert world.sample("cache_warming_failures_total", reason="timed_out") == CONCURRENCY
            assert [span.attributes["error.type"] for span in world.spans.of("cache_warming.prompt")] == [
                "timed_out"
            ] * 2

    virtually(scenario())


@pytest.mark.parametrize("error", [Unavailable, LlmError, lambda: Overspent("tokens", 1.0)])
def test_failing_provider_gets_no_storm(error: Callable[[], Exception]) -> None:
    """Seven prompts in use, an hour of failures: fewer than 150 tries, where each look would have made 5,000."""

    async def scenario() -> None:
        world = build(PROMPTS)
        world.provider.fault = failing(error)
        async with warming(world):
            await uncached_traffic(world, until=3600)
            assert 10 < len(world.provider.warmed) < 150
            assert len(world.spans.of("cache_warming.cycle")) <= len(world.provider.warmed)
            last = [at for at, _ in world.provider.warmed if at > 1800]
            assert len(last) < 60
            assert world.unused_when_warmed(after=TTL) == [(at, name) for at, name in world.provider.warmed if at > TTL]

    virtually(scenario())


def test_failing_provider_is_left_alone_without_traffic() -> None:
    """The start's warming is tried again for a TTL; after that nobody needs it."""

    async def scenario() -> None:
        world = build(PROMPTS)
        world.provider.fault = failing(Unavailable)
        async with warming(world):
            await asyncio.sleep(24 * 3600)
            assert 2 <= len(world.provider.warmed) < 60
            assert max(at for at, _ in world.provider.warmed) <= TTL

    virtually(scenario())


def test_provider_that_recovers_is_warmed() -> None:
    """What failed at the start is warmed once the provider answers again, without a call."""

    async def scenario() -> None:
        world = build(PROMPTS)
        world.provider.fault = failing(Unavailable)
        async with warming(world):
            await asyncio.sleep(20)
            world.provider.fault = None
            await asyncio.sleep(TTL - 40)
            warmed = [span.attributes for span in world.spans.of("cache_warming.prompt")]
            assert sorted(a["clearstory.prompt.name"] for a in warmed if a[OUTCOME] == "written") == sorted(NAMES)

    virtually(scenario())


def test_what_the_provider_asks_for_is_honoured() -> None:
    """After an answer that says when to come back nothing is sent before."""

    async def scenario() -> None:
        world = build(PROMPTS)
        world.provider.fault = failing(lambda: Unavailable(retry_after=900.0))
        async with warming(world):
            await uncached_traffic(world, until=950)
            first = [at for at, _ in world.provider.warmed if at < 900]
            assert first == [0.0] * len(first)
            assert len(first) <= CONCURRENCY
            assert len(world.provider.warmed) > len(first)

    virtually(scenario())


def test_absurd_pause_is_cut() -> None:
    """A provider that asks to be left alone for a year is asked again after an hour."""

    async def scenario() -> None:
        world = build()
        world.provider.fault = failing(lambda: Unavailable(retry_after=31_536_000.0))
        async with warming(world):
            await uncached_traffic(world, until=3700)
            assert [round(at) for at, _ in world.provider.warmed] == [0, 3600]

    virtually(scenario())


@pytest.mark.parametrize("error", [InvalidCall, TooLong, Refused])
def test_prompt_that_is_refused_does_not_hold_up_the_others(error: type[LlmError]) -> None:
    """The prompt that the provider refuses rests for a TTL; the others are warmed at once."""

    async def scenario() -> None:
        world = build(PROMPTS)

        async def fault(prompt: Prompt) -> None:
            if prompt.name == "first":
                raise error()

        world.provider.fault = fault
        async with warming(world):
            await asyncio.sleep(10)
            assert sorted(name for _, name in world.provider.warmed) == sorted(NAMES)
            await uncached_traffic(world, until=6 * 3600)
            gaps = [at for at, name in world.provider.warmed if name == "first"]
            assert all(later - earlier >= TTL for earlier, later in pairwise(gaps))
            assert 3 < len(gaps) < 12
            assert world.sample("cache_warming_failures_total", reason=error.kind) == len(gaps)

    virtually(scenario())


def test_prompt_that_always_fails_does_not_starve_the_others() -> None:
    """Where the provider cannot answer for one prompt only, the others are warmed, whatever their order."""

    async def scenario() -> None:
        world = build(PROMPTS)

        async def fault(prompt: Prompt) -> None:
            if prompt.name == "first":
                raise Unavailable

        world.provider.fault = fault
        async with warming(world):
            await asyncio.sleep(30)
            assert {name for _, name in world.provider.warmed} == set(NAMES)

    virtually(scenario())


@pytest.mark.parametrize(("calls", "tries"), [(1, 1), (2, 2)])
def test_prefix_that_went_cold_is_written_for_two_calls(calls: int, tries: int) -> None:
    """After a failure that outlasts the TTL one recent call is worth no new write of the prefix, and two are."""

    async def scenario() -> None:
        async with warming(build(at_start=False)) as world:
            world.call()
            await asyncio.sleep(200)
            for _ in range(calls):
                world.warmer.called("first", Usage(input_tokens=1500))
            world.provider.fault = failing(lambda: Unavailable(retry_after=65))
            await asyncio.sleep(80)
            world.provider.fault = None
            await asyncio.sleep(1000)
            assert len(world.provider.warmed) == tries

    virtually(scenario())


def test_what_is_not_cached_is_not_repeated_at_once() -> None:
    """A day at a provider that caches nothing: said each time, and tried ever more rarely, at most every hour."""

    async def scenario() -> None:
        world = build()
        world.provider.caches = False
        async with warming(world):
            await uncached_traffic(world, until=24 * 3600)
            times = [at for at, _ in world.provider.warmed]
            assert times[1] >= TTL
            assert len(times) < 30
            assert world.sample("cache_warming_failures_total", reason="not_cached") == len(times)
            assert {span.attributes[OUTCOME] for span in world.spans.of("cache_warming.prompt")} == {"nothing"}

    virtually(scenario())


def test_failures_are_said() -> None:
    """Each failure is one line with the prompt and the reason; one that nobody expects has its exception."""

    async def scenario() -> None:
        telemetry = Telemetry(TelemetrySettings(service_name="test", service_version="1", log_format="json"))
        recorder = Recorder(telemetry)
        async with telemetry.running():
            world = build(metrics=telemetry.metrics)
            world.provider.fault = failing(lambda: Unavailable(retry_after=20))
            async with warming(world):
                await asyncio.sleep(19)
                world.provider.fault = failing(RuntimeError)
                await asyncio.sleep(6)
        known, unknown = recorder.events("cache_warming.failed")
        assert (known["prompt_name"], known["reason"], known["next_in_seconds"]) == ("first", "unavailable", 20.0)
        assert "exception" not in known
        assert (unknown["reason"], unknown["exception"][0]["exc_type"]) == ("unexpected", "RuntimeError")

    virtually(scenario())


def test_nothing_cached_is_said() -> None:
    """A warm-up that neither read nor wrote is one line."""

    async def scenario() -> None:
        telemetry = Telemetry(TelemetrySettings(service_name="test", service_version="1", log_format="json"))
        recorder = Recorder(telemetry)
        async with telemetry.running():
            world = build(metrics=telemetry.metrics)
            world.provider.caches = False
            async with warming(world):
                await asyncio.sleep(10)
        (line,) = recorder.events("cache_warming.nothing_cached")
        assert (line["prompt_name"], line["next_in_seconds"]) == ("first", TTL)

    virtually(scenario())


@pytest.mark.parametrize("seed", range(5))
def test_unsteady_provider_does_not_end_the_upkeep(seed: int) -> None:
    """With a third of the warm-ups failing, calls twice a TTL still nearly all read the prefix."""

    async def scenario() -> None:
        random, world = Random(seed), build()

        async def fault(_prompt: Prompt) -> None:
            if random.random() < 1 / 3:
                raise Unavailable

        world.provider.fault = fault
        async with warming(world):
            await asyncio.sleep(60)
            await world.traffic(lambda: random.uniform(0.2, 1.7) * TTL, until=24 * 3600)
            assert sum(world.reads) / len(world.reads) >= 0.95

    virtually(scenario())
