"""Writes COLLECTOR.md: the tables, the date and the versions they were measured with."""

from __future__ import annotations

import datetime as dt
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stack.recipes import STACK, where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.collector_variants import Variant

RESULTS = Path(__file__).with_name("COLLECTOR.md")
_METHOD = """\
# What scrubbing costs in the collector

Written by `make bench-collector`; do not edit. CPU of the whole process for a span of 20 attributes, user space and
kernel; 100 spans a request, OTLP/HTTP in, the debug exporter out, nothing printed. All collectors run in one session,
and are sent to in turns; each figure is the median of {rounds} rounds. The column of microseconds is of this machine,
ratios are to the first line of the same kind of span; in parentheses, what is asked for at most.

"""
_PARTS = """
Group by group, each line with all groups before it: ratios to no processor, as above. What a line adds to the one
before it is the cost of its group. The rules run for those spans only in which the look has found something.

"""
_START = """
Until it is ready, the median of {starts} starts:

"""


@dataclass(frozen=True, slots=True)
class Start:
    """How a collector started.

    Attributes:
        seconds: until it was ready.
        cpu: seconds of CPU until then.
        mib: memory that it held then.
    """

    seconds: float
    cpu: float
    mib: float


@dataclass(frozen=True, slots=True)
class Often:
    """How often it was measured.

    Attributes:
        rounds: for each cost.
        starts: of each collector.
    """

    rounds: int
    starts: int


Costs = dict[str, float]
"""Seconds of CPU for a span, by its kind."""


def missed(costs: Mapping[str, Costs], variants: Sequence[Variant]) -> list[str]:
    """Say which limits are exceeded, one line each."""
    base = costs[variants[0].title]
    return [
        f"{variant.title}, {kind}: {costs[variant.title][kind] / base[kind]:.1f}, at most {limit:g}"
        for variant in variants
        for kind, limit in zip(base, variant.limits, strict=True)
        if limit is not None and costs[variant.title][kind] > limit * base[kind]
    ]


def write(
    variants: Sequence[Variant],
    parts: Sequence[Variant],
    costs: Mapping[str, Costs],
    starts: Mapping[str, Start],
    often: Often,
) -> str:
    """Write the results, and give them.

    Args:
        variants: the one that others are measured against comes first.
        parts: group by group.
        costs: of both, by title.
        starts: by title.
        often: of how many each figure is the median.
    """
    base = costs[variants[0].title]
    heads = [f"| processors | {' | '.join(f'{kind}, µs | ratio' for kind in base)} |"]
    heads.append("|---|" + "---:|" * (2 * len(base)))
    lines = [_METHOD.format(rounds=often.rounds) + heads[0], heads[1]]
    for variant in variants:
        cells = []
        for kind, limit in zip(base, variant.limits, strict=True):
            cost = costs[variant.title][kind]
            asked = "" if limit is None else f" ({limit:g})"
            cells += [f"{cost * 1e6:.0f}", f"{cost / base[kind]:.1f}{asked}"]
        lines.append(f"| {variant.title} | {' | '.join(cells)} |")
    lines += [_PARTS + f"| group | {' | '.join(base)} |", "|---|" + "---:|" * len(base)]
    for part in parts:
        ratios = (f"{costs[part.title][kind] / base[kind]:.1f}" for kind in base)
        lines.append(f"| {part.title} | {' | '.join(ratios)} |")
    lines += [_START.format(starts=often.starts) + "| processors | seconds | seconds of CPU | MiB |"]
    lines += ["|---|---:|---:|---:|"]
    lines += [f"| {title} | {told.seconds:.2f} | {told.cpu:.2f} | {told.mib:.0f} |" for title, told in starts.items()]
    text = "\n".join(lines) + f"\n\n{_measured_with()}\n"
    RESULTS.write_text(text, encoding="utf-8")
    return text


def _measured_with() -> str:
    said = subprocess.run(  # noqa: S603 - the collector that this project builds
        [where("otelcol"), "--version"], check=True, capture_output=True, text=True
    ).stdout.strip()
    module = (STACK / "collector" / "go.mod").read_text(encoding="utf-8")
    go = next(line for line in module.splitlines() if line.startswith("go "))
    return f"{dt.datetime.now(dt.UTC).date()}, {said}, go.mod's {go}, {platform.machine()}."
