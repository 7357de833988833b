"""What scrubbing costs, beside what others scrub with, in one run: `make bench-scrub`.

Figures are ratios of two times that were taken in turns, each the best of several rounds; a time alone says more
about the machine. Exit status 1 says that a figure was missed. A scrubber that is not installed is named and left out.
"""

from __future__ import annotations

import json
import re
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.scrub_inputs import CLEAN_LINE, KIB, TEXTS, clean_span, fitted, hostile_units, sentry_event
from benchmarks.scrub_peers import PEERS
from benchmarks.scrub_results import Figure, write
from telemetry.pii import Item, Scrubber, load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROUNDS = 9
_SECONDS_A_ROUND = 0.02
# Of the hostile strings those that look worst at first are measured with care.
_WORST = 8
_SIZES = (16, 64, 256)


def best(works: Sequence[Callable[[], object]]) -> list[float]:
    """Gives the shortest time of each work, in seconds, taken in turns.

    Args:
        works: called again and again.
    """
    counts = []
    for work in works:
        work()
        started = time.perf_counter()
        work()
        counts.append(max(1, int(_SECONDS_A_ROUND / (time.perf_counter() - started))))
    shortest = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for number, work in enumerate(works):
            started = time.perf_counter()
            for _ in range(counts[number]):
                work()
            shortest[number] = min(shortest[number], (time.perf_counter() - started) / counts[number])
    return shortest


def forgetful(scrubber: Scrubber, work: Callable[[], object]) -> Callable[[], object]:
    """Gives the work without what the scrubber remembers of texts that were clean."""

    def worked() -> object:
        scrubber.clean.clear()
        return work()

    return worked


def one_sub_a_rule(scrubber: Scrubber) -> Callable[[str], str]:
    """Gives the scrubbing that the fast path replaces: Python's `re.sub`, rule by rule."""
    rules = [(re.compile(rule.rule.pattern, re.ASCII), rule.rule.placeholder) for rule in scrubber.compiled.rules]

    def scrubbed(text: str) -> str:
        for pattern, placeholder in rules:
            text = pattern.sub(placeholder, text)
        return text

    return scrubbed


def span_figure(scrubber: Scrubber) -> Figure:
    """Measures a span in which nothing is sensitive."""
    span, reference = clean_span(), one_sub_a_rule(scrubber)
    ours, theirs = best(
        [lambda: Item(scrubber).mapping(span, "attributes"), lambda: reference("GET /api/v1/jobs")],
    )
    return Figure(
        "a clean span of 20 attributes", "one `re.sub` a rule on one attribute of 16 characters", ours / theirs, 0.25
    )


def event_figures(scrubber: Scrubber) -> list[Figure]:
    """Measures a Sentry event, as one of many of its kind and as the first that was ever seen."""
    logfire = PEERS["logfire"]()
    if logfire is None:
        return []
    event = sentry_event()
    size = len(json.dumps(event)) // 1000

    def ours() -> object:
        return Item(scrubber).mapping(event, "event")

    warm, theirs, cold = best([ours, lambda: logfire(event), forgetful(scrubber, ours)])
    title = f"a Sentry event of {size} kB"
    return [
        Figure(title, "logfire's scrubber on it", warm / theirs, 0.25),
        Figure(f"{title}, nothing remembered", "logfire's scrubber on it", cold / theirs, None),
    ]


def hostile_figures(scrubber: Scrubber) -> list[Figure]:
    """Measures the worst of many hostile strings, and how cost grows with the length of a string."""
    suspects = []
    for unit in hostile_units(scrubber):
        text = fitted(unit, 64 * KIB)
        started = time.perf_counter()
        scrubber.text(text)
        suspects.append((time.perf_counter() - started, unit))
    units = [CLEAN_LINE, *(unit for _, unit in sorted(suspects, reverse=True)[:_WORST])]
    small, middle, great = (
        best([partial(scrubber.text, fitted(unit, size * KIB)) for unit in units]) for size in _SIZES
    )
    steps = [
        after / before for lengths in ((small, middle), (middle, great)) for before, after in zip(*lengths, strict=True)
    ]
    return [
        Figure(f"the worst of {len(suspects)} hostile strings of 64 KiB", "a clean one", max(middle) / middle[0], 150),
        Figure("four times the length, from 16 to 256 KiB, the worst step", "a quarter of it", max(steps), 6),
    ]


def texts_table(scrubber: Scrubber) -> list[tuple[str, dict[str, float]]]:
    """Measures the same texts under every scrubber; microseconds are relative to ours."""
    peers: dict[str, Callable[[Any], object]] = {"one `re.sub` a rule": one_sub_a_rule(scrubber)}
    for name, make in PEERS.items():
        if (made := make()) is not None:
            peers[name] = made
    rows = []
    for title, text in TEXTS:
        ours: Callable[[], object] = forgetful(scrubber, partial(scrubber.text, text))
        base, *times = best([ours, *(partial(peer, text) for peer in peers.values())])
        rows.append((title, {name: took / base for name, took in zip(peers, times, strict=True)}))
    return rows


def main() -> int:
    """Measure everything, write the result, and give 1 when a figure was missed."""
    scrubber = load()
    figures = [span_figure(scrubber), *event_figures(scrubber), *hostile_figures(scrubber)]
    text = write(figures, texts_table(scrubber))
    print(text)
    return 1 if any(figure.missed for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
