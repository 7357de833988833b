"""Says which rule hits where, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from telemetry.pii.item import Item
from telemetry.pii.scrubber import UNSCRUBBABLE

if TYPE_CHECKING:
    from telemetry.pii.compiled import CompiledRule
    from telemetry.pii.scrubber import Scrubber

_Hit = tuple[str, str, str]
_UNSCRUBBABLE = "too long, too deep, or not readable"
# What is done by code, not by a rule of the policy.
_REASONS = {
    "query": "a value in a query is told only where the policy allows its name",
    "sql": "a statement is told without its literals and comments",
    "validation_input": "what was validated is no part of what was wrong with it",
    "cut_off": "what was cut in two cannot be recognised",
    "unscrubbable": _UNSCRUBBABLE,
}


def explain(scrubber: Scrubber, text: str) -> str:
    """Give a line for each hit (rule, place, reason), and last what is left.

    Args:
        scrubber: the policy.
        text: any; a JSON object or array is walked, so that its keys count. A place is the first and last character,
            counted from 1, or the path of a member.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    hits, left = _in_value(scrubber, value) if isinstance(value, dict | list) else _in_text(scrubber, text)
    if not hits:
        return f"no rule hits\n{left}"
    widths = [max(len(hit[column]) for hit in hits) for column in (0, 1)]
    return "\n".join([*(f"{rule:<{widths[0]}}  {at:<{widths[1]}}  {reason}" for rule, at, reason in hits), left])


def _in_value(scrubber: Scrubber, value: Any) -> tuple[list[_Hit], str]:  # noqa: ANN401 - whatever JSON holds
    reasons = _REASONS | {rule.name: rule.reason for rule in scrubber.compiled.data}
    item = Item(scrubber)
    left = json.dumps(item.value(value, ""), ensure_ascii=False)
    return [(rule, where or ".", reasons[rule]) for rule, where in item.found], left


def _in_text(scrubber: Scrubber, text: str) -> tuple[list[_Hit], str]:
    left = scrubber.text(text)
    if left == UNSCRUBBABLE != text:
        return [("unscrubbable", f"1-{len(text)}", _UNSCRUBBABLE)], left
    traced = _Traced(text)
    hits = [
        (start, (rule.rule.name, f"{start + 1}-{end}", rule.rule.reason))
        for rule in scrubber.compiled.rules
        for start, end in traced.apply(rule)
    ]
    return [hit for _, hit in sorted(hits, key=lambda found: found[0])], left


class _Traced:
    """A text under the rules, one after the other; knows which characters of the first text each byte comes from."""

    def __init__(self, text: str) -> None:
        self._text = text.encode("utf-8", "backslashreplace")
        first = self._text.decode()
        self._starts = [number for number, char in enumerate(first) for _ in char.encode()]
        self._ends = [start + 1 for start in self._starts]

    def apply(self, rule: CompiledRule) -> list[tuple[int, int]]:
        """Apply a rule, and give start and end of what it hits, in characters of the first text."""
        places = []
        for start, end in reversed(rule.spans(self._text)):
            first, last = self._starts[start], self._ends[end - 1]
            places.append((first, last))
            self._text = self._text[:start] + rule.placeholder + self._text[end:]
            self._starts[start:end] = [first] * len(rule.placeholder)
            self._ends[start:end] = [last] * len(rule.placeholder)
        return places[::-1]
