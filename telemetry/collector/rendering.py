"""What of `otel-collector.yaml` is generated: the transform processor of the policy, and the policy's digest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry import names
from telemetry.collector.contexts import LOGS, METRICS, RESOURCE, TRACES, Group, groups
from telemetry.collector.ottl import literal, with_context, yaml_scalar
from telemetry.collector.scrubbing import scrubbing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from telemetry.collector.contexts import Context
    from telemetry.pii.compiled import Compiled

_SIGNALS: Final = {"trace_statements": TRACES, "metric_statements": METRICS, "log_statements": LOGS}


def blocks(compiled: Compiled) -> dict[str, str]:
    """Give the generated parts by their names in the file.

    Args:
        compiled: the policy.

    Raises:
        ValueError: a replacement that would capture.
    """
    return {
        "processor": "\n".join(_processor(compiled)),
        "digest": f"- {{name: {names.ATTR_PII_POLICY_DIGEST}, value: {yaml_scalar(compiled.policy.digest)}}}",
    }


def _processor(compiled: Compiled) -> Iterator[str]:
    statements = scrubbing(compiled)
    yield "transform/pii:"
    yield "  error_mode: propagate"
    anchored: set[str] = set()
    for signal, contexts in _SIGNALS.items():
        yield f"  {signal}:"
        for context in contexts:
            yield from _context(context, (*groups(context, statements), *_drift(context, compiled)), anchored)


def _context(context: Context, told: Sequence[Group], anchored: set[str]) -> Iterator[str]:
    for number, group in enumerate(told):
        yield f"  - context: {group.context}"
        if group.conditions:
            # The conditions of a group are the one place where a path has no context.
            yield f"    conditions: [{', '.join(map(yaml_scalar, group.conditions))}]"
        anchor = f"{context.name}_{number}"
        # Resources and scopes are the same in all signals.
        if anchor in anchored:
            yield f"    statements: *{anchor}"
            continue
        anchored.add(anchor)
        yield f"    statements: &{anchor}"
        for statement in group.statements:
            yield f"    - {yaml_scalar(with_context(group.context, statement))}"


def _drift(context: Context, compiled: Compiled) -> tuple[Group, ...]:
    """Say of each resource whether its policy is this one; links cannot be scrubbed here (ADR 0008)."""
    digest, drift = (
        f"attributes[{literal(name)}]" for name in (names.ATTR_PII_POLICY_DIGEST, names.ATTR_PII_POLICY_DRIFT)
    )
    ours = literal(compiled.policy.digest)
    if context is RESOURCE:
        return (
            Group(
                context.name,
                (),
                (
                    f'set({drift}, "unknown")',
                    f'set({drift}, "different") where {digest} != nil and {digest} != {ours}',
                    f'set({drift}, "same") where {digest} == {ours}',
                ),
            ),
        )
    if context.name == "span":
        return (Group(context.name, (f'resource.{drift} != "same"',), ("set(links, nil)",)),)
    return ()
