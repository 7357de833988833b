"""What a gate asks, as OTTL: for literals and for cheap patterns, in texts that the look at an item made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telemetry.collector.covers import cover
from telemetry.collector.ottl import all_of, any_of, literal

if TYPE_CHECKING:
    from collections.abc import Iterable

# Keys and values of an item, in one text; as they are, and in lower case.
TEXT: Final = 'cache["j"]'
FOLDED: Final = 'cache["l"]'
# Without what stands between the first letter and the last of some words: what numbers are looked for in.
WORDLESS: Final = 'cache["g"]'
# Keys alone, with the first characters of their values, in lower case.
KEYS: Final = 'cache["kl"]'
# The texts without the keys that a rule exempts.
WITHOUT_EXEMPT: Final = 'cache["i"]'


@dataclass(frozen=True, slots=True)
class Literals:
    """One of these is in the text.

    Attributes:
        any: the literals.
        fold: whether it is the text in lower case.
        folded: which one that is.
    """

    any: frozenset[str]
    fold: bool
    folded: str = FOLDED

    @property
    def condition(self) -> str:
        """As OTTL; of many literals first what few questions tell."""
        pieces = cover(self.any)
        told = self._one_of(self.any)
        return told if pieces == self.any else f"({self._one_of(pieces)} and {told})"

    def _one_of(self, literals: Iterable[str]) -> str:
        text = self.folded if self.fold else TEXT
        return any_of(f"Index({text}, {literal(each)}) != -1" for each in sorted(literals))


@dataclass(frozen=True, slots=True)
class Match:
    """A cheap pattern is found in the text.

    Attributes:
        pattern: of Go's regexp.
        text: which one it is.
    """

    pattern: str
    text: str = TEXT

    @property
    def condition(self) -> str:
        """As OTTL."""
        return f"IsMatch({self.text}, {literal(self.pattern)})"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of these holds, each of which is several patterns.

    Attributes:
        alternatives: of patterns that must all be found.
    """

    alternatives: tuple[tuple[Match, ...], ...]

    @property
    def condition(self) -> str:
        """As OTTL."""
        return any_of(all_of(each.condition for each in patterns) for patterns in self.alternatives)


Clauses = tuple[Literals | Match | AnyOf, ...]
"""All of these hold."""
