"""Values of every type through Python and through the collector."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from telemetry.pii import Item as Walk
from tests.leaks.corpus import Corpus, Planted, examples
from tests.leaks.search import Search, fields
from tests.stack.comparing import NOTE, sensitive_keys
from tests.stack.differences import Report
from tests.stack.exchange import Exchange
from tests.stack.positions import LAYOUTS, Item, Layout, Logs
from tests.stack.values import EVERY, around, opaque, pair, plain, under, value

_BATCH = 250
_BARE = 56
# Of no form: only the key says that it is sensitive.
SECRET = "quartz-vexing-sphinx"


@dataclass(frozen=True, slots=True)
class _Case:
    """A value that stands alone somewhere, and what must not be found in what becomes of it."""

    planted: Planted
    shape: str
    value: AnyValue


def compare_fields(exchange: Exchange, report: Report) -> None:
    """Compare what becomes of a value of every type under every key that the key rules know, and of two of them."""
    scrubber = report.scrubber
    cases = []
    for key in sensitive_keys(scrubber):
        rule = scrubber.compiled.key_rule(key)
        for name, each in EVERY.items():
            field = pair(key, scrubber.field(rule, plain(each)))
            cases.append((f"{key}: {name}", [KeyValue(key=key, value=each)], [field]))
            twice = [KeyValue(key=key, value=each), pair(NOTE, "x"), pair(key, SECRET)]
            cases.append((f"{key}: {name}, twice", twice, [pair(NOTE, "x"), pair(key, rule.placeholder)]))
    for layout in LAYOUTS:
        for batch in _in_batches(cases):
            blank = [""] * len(layout.texts)
            items = [Item(blank, [before] * len(layout.attributes)) for _, before, _ in batch]
            came = layout.read(exchange(layout, items))
            for (name, _, after), item in zip(batch, came, strict=True):
                for place, left in zip(layout.attributes, item.attributes, strict=False):
                    report.count(1)
                    # Of a key that comes twice one is enough, or a placeholder for each that is none.
                    if set(_bytes(left)) != set(_bytes(after)):
                        report.differ(f"{place} of a sensitive key", name, list(left), after)


def compare_values(exchange: Exchange, report: Report) -> None:
    """Compare values that hold texts: neither side tells what is sensitive, and what is not is told as it was."""
    by_layout: dict[Layout, list[tuple[_Case, int]]] = defaultdict(list)
    for number, case in enumerate(_cases(report)):
        layout = LAYOUTS[number % len(LAYOUTS)]
        by_layout[layout].append((case, number // len(LAYOUTS) % len(_places(layout))))
    for layout, cases in by_layout.items():
        for batch in _in_batches(cases):
            message = exchange(layout, [_item(layout, case, place) for case, place in batch])
            _judge(report, layout, batch, list(layout.read(message)))


def _cases(report: Report) -> Iterator[_Case]:
    scrubber = report.scrubber
    innocent = (Planted("innocent", text, ()) for rule in scrubber.compiled.data for text in rule.innocent)
    sensitive: Iterable[Planted] = (*examples(), *Corpus(1).bare(_BARE))
    for planted in (*sensitive, *innocent):
        for shape, holding in around(planted.text).items():
            yield _Case(planted, shape, holding)
    for key in sensitive_keys(scrubber):
        for shape, holding in under(key, SECRET).items():
            yield _Case(Planted(key, SECRET, (SECRET,)), shape, holding)
    for shape, each in EVERY.items():
        # More than once, or it would not come to every place.
        yield from [_Case(Planted("harmless", shape, ()), shape, each)] * (5 * len(LAYOUTS))


def _in_batches(cases: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (cases[start : start + _BATCH] for start in range(0, len(cases), _BATCH))


def _bytes(messages: Iterable[Any]) -> list[bytes]:
    # One that is not a number equals none, and its bytes do.
    return [message.SerializeToString(deterministic=True) for message in messages]


def _places(layout: Layout) -> tuple[str, ...]:
    return (*layout.attributes, "log.body") if layout is Logs else layout.attributes


def _item(layout: Layout, case: _Case, place: int) -> Item:
    pairs: list[list[KeyValue]] = [[] for _ in layout.attributes]
    body = None
    if place < len(pairs):
        pairs[place] = [KeyValue(key=NOTE, value=case.value)]
    else:
        body = case.value
    return Item([""] * len(layout.texts), pairs, body)


def _judge(report: Report, layout: Layout, batch: Sequence[tuple[_Case, int]], items: Sequence[Item]) -> None:
    for (case, place), item in zip(batch, items, strict=True):
        if place == len(layout.attributes):
            left: list[Any] = [value(item.texts[2]) if item.body is None else item.body]
            before: list[Any] = [case.value]
        elif place >= len(item.attributes):  # a summary has no exemplar
            continue
        else:
            left, before = list(item.attributes[place]), [KeyValue(key=NOTE, value=case.value)]
        where = f"{_places(layout)[place]}, {case.shape}"
        what = f"{case.planted.kind}: {case.planted.text}"
        report.count(1)
        given = {NOTE: plain(case.value)}
        by_python = Walk(report.scrubber).mapping(given, "attributes")
        search = Search(case.planted.markers)
        told = [text for each in left for text in fields(each)]
        if found := [*search.texts("collector", told), *search.texts("python", [repr(by_python)])]:
            report.differ(f"told: {where}", what, told, found)
        elif repr(by_python) == repr(given) and not opaque(case.value) and _bytes(left) != _bytes(before):
            report.differ(f"changed: {where}", what, left, "unchanged")
