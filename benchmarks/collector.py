"""What scrubbing costs in the collector: `make bench-collector`.

The CPU of the collector's process for each span, without processors, with parts of what the policy is rendered into
and with all of it; ratios, since a time alone says more about the machine. Exit status 1 says that a limit was missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.collector_inputs import SPANS, requests
from benchmarks.collector_process import Measured
from benchmarks.collector_results import Costs, Often, Start, missed, write
from benchmarks.collector_variants import main_variants, parts
from stack.recipes import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.collector_variants import Variant

# The kernel counts CPU in hundredths of a second.
_SECONDS_A_ROUND = 0.5
_ENOUGH = 0.2
_FEWEST = 2


def costs(variants: Sequence[Variant], rounds: int) -> dict[str, Costs]:
    """Measure all in one session, in turns.

    Args:
        variants: each gets a collector of its own.
        rounds: of which the median counts.
    """
    kinds = requests()
    with tempfile.TemporaryDirectory(prefix="clearstory-bench-") as folder, ExitStack() as running:
        collectors = {
            variant.title: running.enter_context(
                Measured(Path(folder) / str(number), variant.names, variant.processors)
            )
            for number, variant in enumerate(variants)
        }
        times, found = {}, {}
        for title, collector in collectors.items():
            for kind, request in kinds.items():
                times[title, kind] = _how_often(collector, request)
                found[title, kind] = list[float]()
        for number in range(rounds):
            sys.stderr.write(f"round {number + 1} of {rounds}\n")
            for title, collector in collectors.items():
                for kind, request in kinds.items():
                    how_often = times[title, kind]
                    found[title, kind].append(collector.took(request, how_often) / how_often / SPANS)
    return {title: {kind: statistics.median(found[title, kind]) for kind in kinds} for title in collectors}


def _how_often(collector: Measured, request: bytes) -> int:
    """Give how many requests take long enough to be measured, once the collector is warm."""
    sent, took = 1, 0.0
    while took < _ENOUGH:
        sent *= 2
        took = collector.took(request, sent)
    return max(_FEWEST, int(sent * _SECONDS_A_ROUND / took))


def starts(variants: Sequence[Variant], how_many: int) -> dict[str, Start]:
    """Measure how collectors start, one after the other.

    Args:
        variants: in turns.
        how_many: starts of each, of which the median counts.
    """
    found: dict[str, list[Start]] = {variant.title: [] for variant in variants}
    for _ in range(how_many):
        for variant in variants:
            with (
                tempfile.TemporaryDirectory(prefix="clearstory-bench-") as folder,
                Measured(Path(folder) / "run", variant.names, variant.processors) as collector,
            ):
                found[variant.title].append(
                    Start(collector.started_seconds, collector.started_cpu, collector.started_mib)
                )
    return {
        title: Start(
            statistics.median(each.seconds for each in told),
            statistics.median(each.cpu for each in told),
            statistics.median(each.mib for each in told),
        )
        for title, told in found.items()
    }


def main(arguments: list[str]) -> int:
    """Measure everything, write the result, and give 1 when a limit was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collector", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of which each cost is the median")
    parser.add_argument("--starts", type=int, default=3, help="of which each start is the median")
    asked = parser.parse_args(arguments)
    variants, groups = main_variants(), parts()
    try:
        begun = starts([variants[0], variants[-1]], asked.starts)
        told = costs([*variants, *groups], asked.rounds)
    except Refused as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    print(write(variants, groups, told, begun, Often(asked.rounds, asked.starts)))
    exceeded = missed(told, variants)
    sys.stderr.write("".join(f"missed: {line}\n" for line in exceeded))
    return 1 if exceeded else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
