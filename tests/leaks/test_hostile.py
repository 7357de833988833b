"""What is made to break a scrubber: nothing of it leaves, it is counted, and the application goes on."""

from contextlib import suppress

import pytest

from telemetry.pii import Scrubber
from tests.leaks.corpus import Corpus
from tests.leaks.foreign import foreign
from tests.leaks.places import LOGS, PLACES, SENTRY, TRACES, log
from tests.leaks.wire import SINKS, listening

EMAIL, POISON, HARMLESS = "bob.smith4711@example.com", "this one breaks it", "nothing to hide"
LOCAL = "bob.smith4711"
CUT = 16_384


class Unprintable:
    """Cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError(EMAIL)


class Unsayable(Exception):
    """Cannot be said."""

    def __str__(self) -> str:
        raise RuntimeError(EMAIL)


class Text(str):
    """A text that shows something else than it is."""

    __slots__ = ()

    def __str__(self) -> str:
        return EMAIL


def cycle() -> dict:
    """A mapping that holds itself, and a list that does."""
    values: list = [EMAIL]
    values.append(values)
    mapping = {"note": EMAIL, "values": values}
    mapping["self"] = mapping
    return mapping


def deep(levels: int) -> list:
    """A list so many levels deep."""
    value: list = [EMAIL]
    for _ in range(levels):
        value = [value]
    return value


HOSTILE = {
    "a cycle": cycle,
    "ten megabytes": lambda: f"{'x ' * 5_000_000}{EMAIL}",
    "ten megabytes of it": lambda: f"{EMAIL} " * 400_000,
    "ten megabytes of bytes": lambda: b"x " * 5_000_000 + EMAIL.encode(),
    "a million keys": lambda: dict.fromkeys(range(1_000_000), EMAIL),
    "a million texts as keys": lambda: {f"key{number}": number for number in range(1_000_000)} | {EMAIL: EMAIL},
    "a million items": lambda: [EMAIL] * 1_000_000,
    "many long texts": lambda: [f"{'x ' * 100_000}{EMAIL}"] * 50,
    "depth": lambda: deep(900),
    "bytes that are no text": lambda: b"\xff\xfe " + EMAIL.encode() + b" \x80",
    "text in UTF-16": lambda: EMAIL.encode("utf-16"),
    "lone surrogates": lambda: f"\ud800 {EMAIL} \udfff",
    "nul": lambda: f"\0{EMAIL}\0",
    "an object that cannot be shown": Unprintable,
    "an exception that cannot be said": Unsayable,
    "a text that says another": lambda: Text("harmless"),
    "a huge number": lambda: 10**5000,
    "a card as a number": lambda: 4111111111111111,
    "a card as a float": lambda: 4111111111111111.0,
    "at signs": lambda: "@" * 100_000 + EMAIL,
    "colons": lambda: ":" * 100_000 + EMAIL,
    "digits": lambda: "4111-" * 20_000 + f" {EMAIL}",
    "dots": lambda: "a." * 50_000 + f" {EMAIL}",
    "quotes": lambda: "\"'\\" * 30_000 + f" {EMAIL}",
    "percent signs": lambda: "%40" * 30_000 + f" {EMAIL}",
    "headers of keys": lambda: "-----BEGIN PRIVATE KEY-----" * 4000 + f" {EMAIL}",
    "placeholders": lambda: "[REDACTED:" * 10_000 + f" {EMAIL}",
}
MARKERS = (EMAIL, LOCAL, "4111111111111111")


@pytest.mark.parametrize("name", HOSTILE)
async def test_nothing_hostile_leaks(name):
    """The hostile value leaves by no way out, and what comes after it is told."""
    value = HOSTILE[name]()
    with listening() as wire:
        async with foreign(wire, ()) as running:
            telemetry = running.telemetry
            log.info("test.hostile", value=value, inner={"values": [value]})
            # The SDK itself walks attributes when they are set, a million of them for ten seconds.
            attributes = {} if "million" in name else {"value": value}
            with telemetry.span("test.hostile", **attributes) as span:
                span.set_attribute("text", value if isinstance(value, str) else "none")
                with suppress(RuntimeError, RecursionError):  # what the SDK does with it is the SDK's
                    span.add_event("test.event", attributes)
            telemetry.capture(ValueError("hostile", value) if not isinstance(value, Exception) else value)
            log.info("test.after", note=HARMLESS)
            with telemetry.span("test.after", note=HARMLESS):
                pass
            telemetry.capture(ValueError(HARMLESS))
            await running.exported()
            await running.scrape()
        assert wire.sinks_with(HARMLESS) == {"logs", "traces", "otlp_logs", "sentry"}
        assert wire.found(MARKERS) == []


@pytest.mark.parametrize("place", [place for place in PLACES if PLACES[place].sinks])
async def test_a_scrubber_that_raises_loses_that_item_only(monkeypatch, place):
    """What could not be scrubbed is not sent and is counted for its sink; what comes after it is sent."""
    before = Scrubber.text

    def text(self, text, *arguments, **options):
        if POISON in text:
            raise RuntimeError(POISON)
        return before(self, text, *arguments, **options)

    monkeypatch.setattr(Scrubber, "text", text)
    with listening() as wire:
        async with foreign(wire, [f"{POISON} {EMAIL}", HARMLESS]) as running:
            await running.client.get(f"/put/{place}")
        assert wire.found([POISON, *MARKERS]) == []
        assert wire.sinks_with(HARMLESS) >= PLACES[place].sinks
        for sink in PLACES[place].sinks:
            assert running.failures(sink) >= 1
        assert b"pii.scrub.failed" in b"".join(wire.lines)


@pytest.mark.parametrize("before", range(CUT - len(EMAIL), CUT, 3))
async def test_a_cut_text_gives_no_half_away(before):
    """Where a long text is cut, no part of what stood at the cut is told."""
    text = f"{'x' * (before - 1)} {EMAIL} and so on {'y ' * 5000}"
    halves = [EMAIL[:length] for length in range(len(LOCAL) - 2, len(EMAIL))]
    with listening() as wire:
        async with foreign(wire, [text]) as running:
            for place in ("log_field", "log_argument", "log_exception", "span_attribute", "span_event", "captured"):
                await running.client.get(f"/put/{place}")
        assert wire.found(halves) == []


def test_every_sink_has_a_place():
    """The places lead to all of the sinks."""
    assert frozenset().union(*(place.sinks for place in PLACES.values())) == LOGS | TRACES | SENTRY == set(SINKS)


def test_the_corpus_is_the_same_each_time():
    """The same seed gives the same texts, and another one others."""
    assert [*Corpus(1).planted(60)] == [*Corpus(1).planted(60)]
    assert Corpus(1).people(14) == Corpus(1).people(14) != Corpus(2).people(14)
