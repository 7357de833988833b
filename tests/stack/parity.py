"""`make parity`: Python and the collector treat alike whatever stands in whatever place, on texts that nobody wrote."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest

from telemetry.pii import Scrubber, read_policy
from tests.stack.collector import CONFIG, Collector
from tests.stack.comparing import PLANTS, Plant, batches, compare
from tests.stack.comparing_values import compare_fields, compare_values
from tests.stack.differences import Report
from tests.stack.exchange import Exchange
from tests.stack.texts import fuzzed, known

# Each collector's output is kept until its end.
_STRINGS_A_COLLECTOR = 50_000
# While one is compared, the others are scrubbed, on two cores.
_AT_ONCE = 3


def compare_everywhere(collector: Collector, report: Report, texts: Iterable[str], places: int | None = None) -> None:
    """Compare texts in the places of every signal: as values and as keys, under sensitive keys and under exempt ones.

    Args:
        collector: runs.
        report: told of what differs.
        texts: each comparable.
        places: to how many places of each signal a text comes, which is in turn; None: to all.

    Raises:
        RefusedError: a request was refused, or not all of it came out.
    """
    exchange = Exchange(collector)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = [
            pool.submit(compare, exchange, report, plant, batch, places, turn)
            for turn, batch in enumerate(batches(texts, places))
            for plant in _plants(turn, places)
        ]
        for each in running:
            each.result()


def _plants(turn: int, places: int | None) -> tuple[Plant, ...]:
    everywhere, keyed = PLANTS[:2], PLANTS[2:]
    return PLANTS if places is None else (*everywhere, keyed[turn % len(keyed)])


def run(folder: Path, config: Path, strings: int, seed: int, places: int | None) -> int:
    """Compare, say how far it is, and give 1 at a difference."""
    scrubber = Scrubber(read_policy())
    report, started = Report(scrubber), time.monotonic()
    generated = fuzzed(scrubber, seed)
    chunks: list[Sequence[str]] = [known(scrubber, seed)]
    done = 0
    while chunks:
        texts = chunks.pop()
        with tempfile.TemporaryDirectory(dir=folder) as own, Collector(Path(own) / "run", config) as collector:
            if not done:
                compare_fields(Exchange(collector), report)
                compare_values(Exchange(collector), report)
            compare_everywhere(collector, report, texts, places)
            memory = collector.resident_bytes >> 20
        sys.stdout.write(
            f"{done} strings, {report.compared} comparisons, {report.differences} differences, "
            f"{time.monotonic() - started:.0f} s, collector {memory} MiB\n"
        )
        if (more := min(_STRINGS_A_COLLECTOR, strings - done)) > 0:
            done += more
            chunks.append(list(islice(generated, more)))
    sys.stdout.write(f"{report}\n")
    return 1 if report.differences else 0


def main(arguments: list[str]) -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.stack.parity", description=__doc__)
    parser.add_argument("--strings", type=int, default=1_000_000, help="fuzzed ones, besides those that are known")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--places", type=int, default=1, help="of each signal, in turn, to which a string comes; 0: all"
    )
    parser.add_argument("--config", type=Path, default=CONFIG, help="of the collector")
    asked = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="clearstory-parity-") as folder:
            return run(Path(folder), asked.config.resolve(), asked.strings, asked.seed, asked.places or None)
    except pytest.skip.Exception as missing:
        sys.stderr.write(f"{missing}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
