"""What `benchmarks.collector` compares: the committed processors, and parts of what is rendered."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from telemetry.collector.contexts import RESOURCE, SCOPE, TRACES, Context, Group, groups
from telemetry.collector.ottl import with_context
from telemetry.collector.scrubbing import scrubbing
from telemetry.pii import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telemetry.collector.scrubbing import Scrubbing

CONFIG: Final = Path(__file__).resolve().parents[1] / "otel-collector.yaml"
_SPAN, _EVENT = TRACES[2:]


@dataclass(frozen=True, slots=True)
class Variant:
    """A collector's processors.

    Attributes:
        title: in the tables.
        names: in order.
        processors: their configuration, as YAML; "": none.
        limits: for each kind of request at most so many times what no processor takes.
    """

    title: str
    names: str
    processors: str
    limits: tuple[float | None, float | None, float | None] = (None, None, None)


def main_variants() -> list[Variant]:
    """Give what is to be within limits, and what that is measured against, which comes first."""
    values = replace(_policy(), fields=())
    committed = CONFIG.read_text(encoding="utf-8").partition("\nprocessors:\n")[2]
    return [
        Variant("no processor", "", ""),
        _of("the value rules, on a span's attributes alone", groups(Context("span"), values), (12, 19, None)),
        Variant("everything that is rendered", "transform/pii", committed, (20, 24, 28)),
        Variant(
            "all processors of otel-collector.yaml",
            "memory_limiter/refuse, memory_limiter, transform/pii, transform/cut, filter/health",
            committed,
        ),
    ]


def parts() -> list[Variant]:
    """Give the rendering's groups, each with all that come before it."""
    policy = _policy()
    around = [group for context in (RESOURCE, SCOPE) for group in groups(context, policy)]
    span, event = groups(_SPAN, policy), groups(_EVENT, policy)
    return [
        _of("the resource and the scope", around),
        _of("the look at a span", [*around, span[0]]),
        _of("the rules for a span that may hold something", [*around, *span]),
        _of("the look at an event", [*around, *span, event[0]]),
        _of("the rules for an event that may hold something", [*around, *span, *event]),
    ]


def _policy() -> Scrubbing:
    return scrubbing(load().compiled)


def _of(
    title: str, told: Iterable[Group], limits: tuple[float | None, float | None, float | None] = (None, None, None)
) -> Variant:
    statements = [
        {
            "context": group.context,
            "conditions": [_escaped(each) for each in group.conditions],
            "statements": [_escaped(with_context(group.context, each)) for each in group.statements],
        }
        for group in told
    ]
    processor = {"error_mode": "propagate", "trace_statements": statements}
    # JSON is YAML.
    return Variant(title, "transform/pii", f"  transform/pii: {json.dumps(processor)}", limits)


def _escaped(statement: str) -> str:
    return statement.replace("$", "$$")
