"""Eight requests of the largest size at once: `python -m tests.stack.crowd` prints what memory the collector took.

Each kind has a collector of its own, since none gives back to the kernel what it once held. Exit status 1: more than
512 MiB, or more than 32 MiB of heap above the beginning a minute later, or no fresh span arrives.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.collector_inputs import requests
from tests.stack.collector import MEMORY_LIMIT, Collector
from tests.stack.hostile import ADDRESS_SPACE, post
from tests.stack.hostile_inputs import HEAVY, LIMIT, Hostile

AT_ONCE = 8
# A memory limiter that has not collected garbage for so long does that before it refuses. By itself it is ten seconds:
# as after a quiet time, without one.
_RESTED = {"processors": {"memory_limiter": {"min_gc_interval_when_soft_limited": "1s"}}}
MOST_MIB, MOST_LEFT_MIB = 512, 32
PLAIN = {"GOMEMLIMIT": "off"}
_HEAP = "otelcol_process_runtime_heap_alloc_bytes"
_NESTED = ("a nesting bomb, 100 levels", "a nesting bomb, 1,000 levels", "one nesting bomb")
_FLAT = ("one string", "bytes", "strings of addresses", "attributes", "spans of one attribute", "empty spans")


@dataclass(frozen=True, slots=True)
class Taken:
    """What so many at once did.

    Attributes:
        answers: how many of each status; None: no answer.
        peak: the most memory that it held, in MiB.
        heap: MiB of heap after a while, more than before.
        alive: whether a fresh span arrived in the end.
    """

    answers: Counter[int | None]
    peak: int
    heap: float
    alive: bool

    @property
    def bad(self) -> bool:
        """Whether it is more than it should be."""
        return not self.alive or self.peak > MOST_MIB or self.heap > MOST_LEFT_MIB


def kinds() -> dict[str, Callable[[], Hostile]]:
    """Give what is sent, by name: ordinary spans, flat ones that are not, and nested ones."""
    # A request of spans is as many resources as fit, one behind the other.
    ordinary = {
        f"ordinary spans, {title}": lambda body=body: Hostile(body * (LIMIT // len(body)))
        for title, body in requests().items()
    }
    return ordinary | {title: lambda title=title: HEAVY[title](LIMIT) for title in (*_FLAT, *_NESTED)}


def crowded(folder: Path, hostile: Hostile, wait: float, environment: Mapping[str, str] = MEMORY_LIMIT) -> Taken:
    """Send it eight times at once to a new collector, and look at its memory."""
    with Collector(folder, changes=_RESTED, environment=environment) as collector:
        collector.footprint.allow_addresses(ADDRESS_SPACE)
        assert collector.arrives(wait=0)
        before = collector.metric(_HEAP)
        collector.footprint.forget_peak()
        together = threading.Barrier(AT_ONCE)

        def send(_: int) -> int | None:
            together.wait()
            return post(collector, hostile)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = Counter(pool.map(send, range(AT_ONCE)))
        if not collector.ended(wait):
            alive = collector.arrives(wait=60.0)
            return Taken(answers, collector.footprint.peak_mib, (collector.metric(_HEAP) - before) / (1 << 20), alive)
    return Taken(answers, 0, 0, alive=False)


def main(arguments: list[str]) -> int:
    """Read the command line and print a line for each kind."""
    parser = argparse.ArgumentParser(prog="python -m tests.stack.crowd", description=__doc__)
    parser.add_argument("--only", default="", help="kinds whose name holds this")
    parser.add_argument("--plain", action="store_true", help="without Go's memory limit")
    parser.add_argument("--wait", type=float, default=60.0, help="seconds until the heap is looked at")
    asked = parser.parse_args(arguments)
    environment = PLAIN if asked.plain else MEMORY_LIMIT
    bad = 0
    for title, make in kinds().items():
        if asked.only not in title:
            continue
        try:
            with tempfile.TemporaryDirectory(prefix="clearstory-crowd-") as folder:
                told = crowded(Path(folder) / "run", make(), asked.wait, environment)
        except pytest.skip.Exception as missing:
            sys.stderr.write(f"{missing}\n")
            return 2
        answers = ", ".join(f"{count} times {status}" for status, count in told.answers.items())
        sys.stdout.write(
            f"{title}: answers {answers}; {told.peak} MiB at most; {told.heap:+.0f} MiB of heap {asked.wait:.0f} s "
            f"later; {'a fresh span arrives' if told.alive else 'DEAD'}{'; TOO MUCH' if told.bad else ''}\n"
        )
        sys.stdout.flush()
        bad += told.bad
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
