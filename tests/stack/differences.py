"""What Python and the collector do not agree on."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from telemetry.pii import Scrubber

_SHOWN, _LONGEST, _PLACES = 20, 400, 60
# Of texts that the same rules hit.
_ALIKE = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """A text that the two sides do not treat alike.

    Attributes:
        place: where it stood.
        text: what went in.
        collector: what the collector made of it.
        python: what Python made of it.
        rules: the value rules that hit it, in order, by Python.
    """

    place: str
    text: str
    collector: str
    python: str
    rules: tuple[str, ...]

    def __str__(self) -> str:
        rows = (("text", self.text), ("collector", self.collector), ("python", self.python))
        shown = "".join(f"\n    {name:<10}{_short(text)}" for name, text in rows)
        return f"{self.place}, rules: {', '.join(self.rules) or 'none'}{shown}"


def _short(text: str) -> str:
    shown = repr(text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}… ({len(text)} characters)"


@dataclass
class Report:
    """Counts what was compared and what differed, and keeps the first differences; safe to share between threads.

    Args:
        scrubber: says which rules hit.
    """

    scrubber: Scrubber
    compared: int = 0
    first: list[Difference] = field(default_factory=list)
    by_place: Counter[str] = field(default_factory=Counter)
    by_rules: Counter[tuple[str, ...]] = field(default_factory=Counter)
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    @property
    def differences(self) -> int:
        """How many there were."""
        return self.by_place.total()

    def count(self, comparisons: int) -> None:
        """Note what was compared."""
        with self._lock:
            self.compared += comparisons

    def differ(self, place: str, text: str, collector: object, python: object) -> None:
        """Note a difference."""
        rules: list[str] = []
        self.scrubber.text(text, hit=rules.append)
        told = tuple(dict.fromkeys(rules))
        with self._lock:
            self.by_place[place] += 1
            self.by_rules[told] += 1
            if len(self.first) < _SHOWN and self.by_rules[told] <= _ALIKE:
                self.first.append(Difference(place, text, str(collector), str(python), told))

    def __str__(self) -> str:
        lines = [f"{self.compared} comparisons, {self.differences} differences"]
        lines += map(str, self.first)
        lines += [f"{count:>9} {place}" for place, count in self.by_place.most_common(_PLACES)]
        lines += [
            f"{count:>9} rules: {', '.join(rules) or 'none'}" for rules, count in self.by_rules.most_common(_SHOWN)
        ]
        return "\n".join(lines)
