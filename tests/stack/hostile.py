"""Sends a collector what is made to hurt it, and measures: `python -m tests.stack.hostile` prints a table.

Each at half and at the whole of the largest request that is taken, so that what grows faster than its input is seen.
The collector may have so much memory, the machine is spared the rest; one that is not heard of again is started anew.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3

from tests.stack.collector import Collector
from tests.stack.hostile_inputs import HEAVY, LIMIT, REFUSED, Hostile, levels

ADDRESS_SPACE = 8 << 30
_ANSWER_SECONDS, _FRESH_SECONDS = 120.0, 120.0
_DEPTHS = (100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a request did.

    Attributes:
        status: of the answer; None: there was none.
        seconds: until it was answered.
        cpu: seconds of CPU until a fresh span had arrived.
        peak: the most memory that was held until then, in MiB.
        fresh: seconds until a span that was sent afterwards had arrived; None: none had in two minutes.
    """

    status: int | None
    seconds: float
    cpu: float
    peak: int
    fresh: float | None

    def __str__(self) -> str:
        """As cells of a table."""
        fresh = "never" if self.fresh is None else f"{self.fresh:.1f}"
        return f"{self.status or 'none'} | {self.seconds:.2f} | {self.cpu:.2f} | {self.peak} | {fresh}"


def post(collector: Collector, hostile: Hostile) -> int | None:
    """Send it and give the status of the answer; None: there was none."""
    headers = {"Content-Type": hostile.kind}
    if hostile.encoding:
        headers["Content-Encoding"] = hostile.encoding
    url = f"{collector.endpoint}/v1/{hostile.signal}"
    with suppress(urllib3.exceptions.HTTPError):
        return urllib3.request(
            "POST", url, body=hostile.body, headers=headers, timeout=_ANSWER_SECONDS, retries=False
        ).status
    return None


def sent(collector: Collector, hostile: Hostile) -> Outcome:
    """Send it, and then a fresh span until that arrives."""
    collector.footprint.forget_peak()
    before, started = collector.footprint.cpu_seconds, time.monotonic()
    status = post(collector, hostile)
    answered = time.monotonic()
    if not collector.arrives(wait=_FRESH_SECONDS):
        return Outcome(status, answered - started, 0.0, 0, None)
    fresh = time.monotonic() - answered
    return Outcome(
        status, answered - started, collector.footprint.cpu_seconds - before, collector.footprint.peak_mib, fresh
    )


def _all() -> dict[str, Callable[[int], Hostile]]:
    deep = {f"an array of {depth} levels": lambda _, depth=depth: levels(depth) for depth in _DEPTHS}
    return {**REFUSED, **HEAVY, **deep}


def run(folder: Path, only: str) -> int:
    """Print the table; give 1 when something that must be refused was taken, or the collector died."""
    bad = 0
    sys.stdout.write(
        "| request | answer | seconds | CPU | MiB | fresh | answer | seconds | CPU | MiB | fresh | CPU ratio |\n"
    )
    sys.stdout.write("|---|" + "---:|" * 11 + "\n")
    with Collector(folder) as collector:
        collector.footprint.allow_addresses(ADDRESS_SPACE)
        for title, make in _all().items():
            if only not in title:
                continue
            outcomes = []
            for size in (LIMIT // 2, LIMIT):
                hostile = make(size)
                told = sent(collector, hostile)
                bad += told.fresh is None or (hostile.refused is True and told.status in {None, 200})
                outcomes.append(told)
                if told.fresh is None:
                    collector.kill()
                    collector.start()
                    collector.footprint.allow_addresses(ADDRESS_SPACE)
            half, whole = outcomes
            grown = f"{whole.cpu / half.cpu:.1f}" if half.cpu and whole.cpu else ""
            sys.stdout.write(f"| {title} | {half} | {whole} | {grown} |\n")
            sys.stdout.flush()
    return 1 if bad else 0


def main(arguments: list[str]) -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.stack.hostile", description=__doc__)
    parser.add_argument("--only", default="", help="requests whose title holds this")
    asked = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="clearstory-hostile-") as folder:
            return run(Path(folder) / "run", asked.only)
    except pytest.skip.Exception as missing:
        sys.stderr.write(f"{missing}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
