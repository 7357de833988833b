"""Kills the collector under load, with each kind of back end: what was acknowledged arrives, and scrubbed.

`python -m tests.stack.kills` prints a line for each back end; exit status 1: something was lost, or was raw on disk.
SIGKILL ends the process, not the machine: what the kernel holds of its files is kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stack.backends import HEALTHY, KINDS, REFUSING, Backends
from tests.stack.collector import Collector
from tests.stack.load import MARKERS, PLACEHOLDERS, Load

_LOAD_SECONDS, _ARRIVAL_SECONDS = 120.0, 300.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of everything that was sent to a collector that was killed.

    Attributes:
        acknowledged: spans and log records that were answered 200.
        lost: of those, what never arrived.
        twice: of those, what arrived more than once.
        on_disk: bytes of the queue's files, at the kill when they were most.
        scrubbed: whether a placeholder was in them at any kill.
        raw: pieces of personal data that were in them.
    """

    acknowledged: tuple[int, int]
    lost: tuple[int, int]
    twice: tuple[int, int]
    on_disk: int
    scrubbed: bool
    raw: tuple[bytes, ...]

    def __str__(self) -> str:
        """All of it on one line."""
        disk = "scrubbed" if self.scrubbed else "nothing that was scrubbed"
        return (
            f"of {self.acknowledged[0]} spans and {self.acknowledged[1]} log records acknowledged {self.lost[0]} and "
            f"{self.lost[1]} lost, {self.twice[0]} and {self.twice[1]} arrived more than once; "
            f"on disk {self.on_disk} bytes, {disk}, raw: {list(self.raw) or 'nothing'}"
        )


def killed(folder: Path, kind: str, kills: int, items: int, *, rules: bool = True) -> Figures:
    """Kill a collector again and again, each time under load, and wait for all that it has acknowledged.

    Args:
        folder: for the collector.
        kind: of the back end; one that refuses takes everything when the last kill is over.
        kills: how many.
        items: acknowledged spans, and log records, before each.
        rules: False: the collector scrubs nothing, so that a test sees what would be on its disk.
    """
    disk: list[bytes] = []
    with Backends(kind) as backends, Collector(folder, rules=rules, environment=backends.environment) as collector:
        with Load(collector) as load:
            for _ in range(kills):
                if not load.wait_for(items, _LOAD_SECONDS):
                    raise RuntimeError(f"the load is not taken: {load.refusals}")
                collector.kill()
                load.hold()
                disk.append(b"".join(file.read_bytes() for file in collector.queue.iterdir()))
                collector.start()
                load.go()
        if kind == REFUSING:
            backends.kind = HEALTHY
        backends.wait(
            lambda: load.spans <= backends.spans.keys() and load.records <= backends.records.keys(), _ARRIVAL_SECONDS
        )
        return Figures(
            acknowledged=(len(load.spans), len(load.records)),
            lost=(len(load.spans - backends.spans.keys()), len(load.records - backends.records.keys())),
            twice=(
                sum(backends.spans[each] > 1 for each in load.spans),
                sum(backends.records[each] > 1 for each in load.records),
            ),
            on_disk=max(map(len, disk)),
            scrubbed=any(placeholder in each for each in disk for placeholder in PLACEHOLDERS),
            raw=tuple(marker for marker in MARKERS if any(marker in each for each in disk)),
        )


def main(arguments: list[str]) -> int:
    """Read the command line, kill, and print what became of everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.stack.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=4, help="with each back end")
    parser.add_argument("--items", type=int, default=5_000, help="spans, and log records, before each kill")
    asked = parser.parse_args(arguments)
    bad = 0
    for kind in KINDS:
        try:
            with tempfile.TemporaryDirectory(prefix="clearstory-kills-") as folder:
                told = killed(Path(folder) / "run", kind, asked.kills, asked.items)
        except pytest.skip.Exception as missing:
            sys.stderr.write(f"{missing}\n")
            return 2
        sys.stdout.write(f"{kind} back end, {asked.kills} kills: {told}\n")
        bad += sum(told.lost) + len(told.raw)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
