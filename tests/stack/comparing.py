"""The same texts through Python and through the collector, in every place of a text, compared byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from telemetry.pii import Scrubber
from telemetry.pii.query import WITH_QUERY
from telemetry.pii.sql import STATEMENT_KEYS
from tests.stack.differences import Report
from tests.stack.exchange import Exchange
from tests.stack.positions import LAYOUTS, Item

Pair = tuple[str, str]
Plant = Callable[[Scrubber, str], tuple[Pair, Pair]]
"""Gives the attribute that goes in and the one that must come out, of a text."""

NOTE, VALUE = "note", "x"
# Python rewrites their values as a whole; the collector has no parser of queries or SQL.
REWRITTEN = WITH_QUERY | STATEMENT_KEYS
_BATCH_TEXTS, _BATCH_BYTES, _MOST_PLACES = 400, 100_000, 9


def as_value(scrubber: Scrubber, text: str) -> tuple[Pair, Pair]:
    """A text under a key of which no rule knows."""
    return (NOTE, text), (NOTE, scrubber.text(text))


def as_key(scrubber: Scrubber, text: str) -> tuple[Pair, Pair]:
    """A text as a key, which a key rule may hit."""
    rule = scrubber.compiled.key_rule(text)
    return (text, VALUE), (scrubber.text(text), VALUE if rule is None else scrubber.field(rule, VALUE))


def under_a_sensitive_key(scrubber: Scrubber, text: str) -> tuple[Pair, Pair]:
    """A text under each of the keys of which the key rules speak."""
    keys = sensitive_keys(scrubber)
    key = keys[crc32(text.encode()) % len(keys)]
    return (key, text), (key, scrubber.field(scrubber.compiled.key_rule(key), text))


def under_an_exempt_key(scrubber: Scrubber, text: str) -> tuple[Pair, Pair]:
    """A text under each of the keys whose values some rules leave alone."""
    keys = sorted({key for rule in scrubber.policy.value_rules for key in rule.exempt_keys})
    key = keys[crc32(text.encode()) % len(keys)]
    return (key, text), (key, scrubber.text(text, key))


def sensitive_keys(scrubber: Scrubber) -> list[str]:
    """Give the examples of the key rules."""
    return [key for rule in scrubber.policy.key_rules for key in rule.examples]


PLANTS: tuple[Plant, ...] = (as_value, as_key, under_a_sensitive_key, under_an_exempt_key)


def compare(
    exchange: Exchange, report: Report, plant: Plant, texts: Sequence[str], places: int | None, turn: int
) -> None:
    """Compare each of these texts in places of every signal.

    Args:
        exchange: with the collector.
        report: told of what differs.
        plant: how a text becomes an attribute; only of `as_value` the places for a text get one too.
        texts: one batch of `batches`, all comparable.
        places: in how many places of each signal a text comes; None: in all.
        turn: with another number a text comes to other places.
    """
    planted = [_Planted(text, *plant(report.scrubber, text)) for text in texts if _may_be(plant, text)]
    for layout in LAYOUTS:
        own = len(layout.texts) if plant is as_value else 0
        # A text has another neighbour in each place: a place that is judged by another one's text gets caught.
        width, size = own + len(layout.attributes), len(planted)
        step = 1 if places is None else max(width // places, 1)
        rows = [[planted[at % size] for at in range(start, start + width)] for start in range(turn, turn + size, step)]
        blank = ("",) * len(layout.texts)
        items = [
            Item([each.text for each in row[:own]] or blank, [[_pair(each)] for each in row[own:]]) for row in rows
        ]
        for row, came in zip(rows, layout.read(exchange(layout, items)), strict=True):
            report.count(own + len(came.attributes))
            for place, each, text in zip(layout.texts, row[:own], came.texts, strict=False):
                # By itself a text becomes what it becomes as a value.
                if text != each.after[1] or came.body is not None:
                    report.differ(place, each.text, text, each.after[1])
            for place, each, left in zip(layout.attributes, row[own:], came.attributes, strict=False):
                if not _is(left, *each.after):
                    under = "" if plant is as_key else f" {each.before[0]}"
                    report.differ(f"{place} {plant.__name__}{under}", each.text, _shown(left), each.after)


@dataclass(frozen=True, slots=True)
class _Planted:
    """A text, the attribute that it goes in as, and the one that must come out."""

    text: str
    before: Pair
    after: Pair


def _may_be(plant: Plant, text: str) -> bool:
    return plant is not as_key or text not in REWRITTEN


def batches(texts: Iterable[str], places: int | None) -> Iterator[list[str]]:
    """Give the texts in such numbers that a request of them in so many places is below the collector's limit."""
    times = _MOST_PLACES // min(places or _MOST_PLACES, _MOST_PLACES)
    batch: list[str] = []
    room = _BATCH_BYTES * times
    for text in texts:
        batch.append(text)
        room -= len(text)
        if room < 0 or len(batch) == _BATCH_TEXTS * times:
            yield batch
            batch, room = [], _BATCH_BYTES * times
    if batch:
        yield batch


def _pair(each: _Planted) -> KeyValue:
    return KeyValue(key=each.before[0], value=AnyValue(string_value=each.before[1]))


def _is(left: Any, key: str, text: str) -> bool:
    if len(left) != 1 or left[0].key != key:
        return False
    value = left[0].value
    return value.string_value == text and (text != "" or value.WhichOneof("value") == "string_value")


def _shown(left: Any) -> Any:
    if len(left) == 1 and left[0].value.WhichOneof("value") == "string_value":
        return left[0].key, left[0].value.string_value
    return [str(pair) for pair in left]
