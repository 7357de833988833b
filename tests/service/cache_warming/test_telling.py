"""What is told of the warming: a trace for each cycle, metrics from the start, and what is too short."""

import asyncio
from datetime import UTC, datetime, timedelta

from service.llm.errors import KINDS
from telemetry import TelemetrySettings
from telemetry.lifecycle import Telemetry
from telemetry.testing import Recorder
from tests.service.cache_warming.simulation import TTL, build, prompt, virtually, warming

LONG, SHORT = prompt("long", 1024), prompt("short", 1023)


def test_each_cycle_is_a_trace_of_its_own() -> None:
    """A cycle is a root linked to the start's span, with a child for each prompt: what it is, what came of it."""

    async def scenario() -> None:
        world = build([prompt("first"), prompt("second")])
        world.warmer.start(links=["start-up"])
        await asyncio.sleep(5)
        world.call(0)
        await asyncio.sleep(TTL)
        await world.warmer.stop()
        starting, upkeep = world.spans.of("cache_warming.cycle")
        assert (starting.parent, starting.links, starting.attributes) == (
            None,
            ("start-up",),
            {"cache_warming.prompts": 2},
        )
        assert (upkeep.parent, upkeep.links, upkeep.attributes) == (None, ("start-up",), {"cache_warming.prompts": 1})
        first, second, again = world.spans.of("cache_warming.prompt")
        assert [span.parent for span in (first, second, again)] == [starting, starting, upkeep]
        due = [datetime.fromisoformat(span.attributes.pop("cache_warming.next_due")) for span in (first, again)]
        assert [timedelta(seconds=0.7 * TTL) < at - datetime.now(UTC) < timedelta(seconds=TTL) for at in due] == [
            True
        ] * 2
        described = {
            "clearstory.prompt.name": "first",
            "clearstory.prompt.version": "1",
            "clearstory.prompt.digest": world.prompts[0].digest,
        }
        written = {"cache_warming.tokens.written": 1500, "cache_warming.tokens.read": 0}
        read = {"cache_warming.tokens.written": 0, "cache_warming.tokens.read": 1500}
        assert first.attributes == {**described, "cache_warming.outcome": "written", **written}
        assert again.attributes == {**described, "cache_warming.outcome": "hit", **read}

    virtually(scenario())


def test_metrics_exist_at_zero_from_the_start() -> None:
    """Every combination of labels is there before anything happened."""

    async def scenario() -> None:
        world = build([LONG, SHORT])
        reasons = {"failed", "timed_out", "unexpected", "not_cached", *KINDS}
        at_zero = [
            world.sample("cache_warming_cycles_total"),
            *(world.sample("cache_warming_failures_total", reason=reason) for reason in reasons),
            *(world.sample("cache_warming_tokens_total", kind=kind) for kind in ("written", "read")),
            *(world.sample("cache_warming_saved_tokens_total", prompt_name=name) for name in ("long", "short")),
            world.sample("cache_warming_prompt_age_seconds", prompt_name="long"),
        ]
        assert at_zero == [0] * len(at_zero)

    virtually(scenario())


def test_metrics_tell_what_was_spent_and_saved() -> None:
    """Tokens written and read by warm-ups, tokens that callers read, and the prefix's age when it is asked for."""

    async def scenario() -> None:
        async with warming(build()) as world:
            await asyncio.sleep(11)
            assert world.sample("cache_warming_tokens_total", kind="written") == 1500
            assert world.sample("cache_warming_prompt_age_seconds", prompt_name="first") == 11
            world.call()
            assert world.sample("cache_warming_prompt_age_seconds", prompt_name="first") == 0
            world.call()
            assert world.sample("cache_warming_saved_tokens_total", prompt_name="first") == 3000
            await asyncio.sleep(TTL)
            assert world.sample("cache_warming_tokens_total", kind="read") == 1500
            assert world.sample("cache_warming_cycles_total") == 2

    virtually(scenario())


def test_names_that_nobody_declared_are_no_labels() -> None:
    """A call of a prompt that the warmer does not know is nobody's."""

    async def scenario() -> None:
        world = build()
        world.warmer.called("unknown", world.provider.use(prompt("unknown")))
        assert b"unknown" not in world.metrics.render("")[0]

    virtually(scenario())


def test_prompt_that_is_too_short_is_named_and_not_warmed() -> None:
    """A prefix below the model's minimum is named once at the start, and costs nothing after it."""

    async def scenario() -> None:
        telemetry = Telemetry(TelemetrySettings(service_name="test", service_version="1", log_format="json"))
        recorder = Recorder(telemetry)
        async with telemetry.running():
            async with warming(build([LONG, SHORT], metrics=telemetry.metrics)) as world:
                for _ in range(20):
                    await asyncio.sleep(30)
                    world.call(1)
            assert [name for _, name in world.provider.warmed] == ["long"]
        (line,) = recorder.events("cache_warming.prompts.too_short")
        assert (line["prompts"], line["model"], line["minimum_tokens"]) == (["short"], "claude-sonnet-4-5", 1024)
        assert recorder.metric("cache_warming_prompt_age_seconds", prompt_name="short") is None

    virtually(scenario())
