"""When a rule is tried at all: conditions that hold wherever it could hit, and cost a hundredth of trying it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from re import _constants, _parser  # type: ignore[attr-defined] # the one reader of patterns that gives its tree
from typing import TYPE_CHECKING, Any, Final

from telemetry.collector.digits import digit_gate
from telemetry.collector.necessary import necessary
from telemetry.collector.ottl import all_of, any_of, literal
from telemetry.pii.keys import key_pattern

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from telemetry.pii.model import KeyRule, ValueRule

# What the conditions look at: keys and values of an item, in one text; as they are, and in lower case.
TEXT: Final = 'cache["j"]'
FOLDED: Final = 'cache["l"]'
# Keys alone, with the first characters of their values, in lower case.
KEYS: Final = 'cache["kl"]'
# The texts without the keys that a rule exempts.
WITHOUT_EXEMPT: Final = 'cache["i"]'
# Between a key and its value, and before a key: what no rule for numbers goes over.
AFTER_KEY: Final = "\r"
BEFORE_KEY: Final = "\n"
BEFORE_SHORT: Final = "\x02"
_SETS: Final = 3
# Behind few literals even as many words as there are names are worth a look; behind many, no more are.
_WORDS: Final = 80
_FEW: Final = 32
_DIGITS_THAT_TELL: Final = 8
_QUESTIONS_OF_A_MATCH: Final = 40


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
        """As OTTL."""
        text = self.folded if self.fold else TEXT
        return any_of(f"Index({text}, {literal(each)}) != -1" for each in sorted(self.any))


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


@dataclass(frozen=True, slots=True)
class Gate:
    """When a rule is tried: all clauses of one of the alternatives hold. Without alternatives it always is.

    Attributes:
        alternatives: on the texts as they came.
        weaker: the same once a placeholder may stand in them, which may be what was missing: without the clauses that
            a placeholder can fulfil.
    """

    alternatives: tuple[Clauses, ...]
    weaker: tuple[Clauses, ...]


def condition(alternatives: Sequence[Clauses]) -> str | None:
    """Render a gate's alternatives, of which one must hold, as OTTL; None: there is nothing to ask."""
    told = []
    for clauses in alternatives:
        conditions = [each.condition for each in clauses]
        told.append(conditions[0] if len(conditions) == 1 else f"({all_of(conditions)})")
    return any_of(told) if told else None


def rule_gate(rule: ValueRule, placeholders: Collection[str], exempt: frozenset[str] = frozenset()) -> Gate:
    """Give the condition under which a value rule can hit.

    Args:
        rule: what its pattern and its own word for it say.
        placeholders: what the rules before it may leave.
        exempt: the keys that `WITHOUT_EXEMPT` is without.
    """
    items = list(_parser.parse(rule.pattern))
    together, apart = _clauses(items), _distinct([_clauses(each) for each in _alternatives(items)])
    chosen: Sequence[Clauses] = [together]
    if rule.necessary:
        text = WITHOUT_EXEMPT if exempt and exempt <= rule.exempt_keys else TEXT
        patterns = AnyOf(tuple((Match(pattern, text=text),) for pattern in rule.necessary))
        chosen = [(*(each for each in together if isinstance(each, Literals)), patterns)]
    elif not digit_gate(items, fewest=_DIGITS_THAT_TELL) and all(apart):
        literals = tuple(each for each in together if isinstance(each, Literals))
        # The words are asked for once, and then for the numbers of each alternative.
        numbers = [tuple(each for each in clauses if isinstance(each, Match)) for clauses in apart]
        chosen = [(*literals, AnyOf(tuple(dict.fromkeys(numbers))))] if all(numbers) else [literals]
        if not literals or _cost(apart) < _cost([literals]):
            chosen = apart
    told = [text.lower() for text in placeholders]
    without = [tuple(each for each in clauses if not _is_in(told, each)) for clauses in chosen]
    return Gate(_merged(chosen), _merged(without))


def _is_in(placeholders: Sequence[str], clause: Literals | Match | AnyOf) -> bool:
    """Say whether a placeholder may be what a clause asks for."""
    return isinstance(clause, Literals) and any(word.lower() in text for word in clause.any for text in placeholders)


def key_gate(rule: KeyRule) -> Gate:
    """Give the condition under which a key rule can hit.

    Args:
        rule: its words decide, and for words that need an owner both of them.
    """
    if rule.place != "owned":
        sets = necessary(_parser.parse(key_pattern([rule])), fold=True)
        return _always([(Literals(min(sets, key=len), fold=True, folded=KEYS),)] if sets else [()])
    words = "|".join(map(_spelled, rule.words))
    owners = [Match(f"{_spelled(owner)}[._-]?(?:{words})", text=KEYS) for owner in rule.owners]
    alone = Match(f"{BEFORE_SHORT}(?:{words})", text=KEYS)
    return _always([(each,) for each in (alone, *owners)])


def _spelled(words: str) -> str:
    return "[._-]?".join(re.escape(word) for word in words.lower().split(" "))


def _always(alternatives: Sequence[Clauses]) -> Gate:
    told = _merged(alternatives)
    return Gate(told, told)


def _distinct(alternatives: Sequence[Clauses]) -> list[Clauses]:
    """Leave out what holds only where another one holds."""
    told = list(dict.fromkeys(alternatives))
    return [each for each in told if not any(other != each and set(other) <= set(each) for other in told)]


def _cost(alternatives: Sequence[Clauses]) -> float:
    """Give how many questions a text takes that none of it holds for."""
    if not all(alternatives):
        return float("inf")
    first = (clauses[0] for clauses in alternatives)
    return sum(len(each.any) if isinstance(each, Literals) else _QUESTIONS_OF_A_MATCH for each in first)


def _merged(alternatives: Sequence[Clauses]) -> tuple[Clauses, ...]:
    """Make one of all alternatives that one list of literals decides; none, if one of them has nothing to ask."""
    if not all(alternatives):
        return ()
    single: dict[bool, frozenset[str]] = {}
    others: list[Clauses] = []
    for clauses in _distinct(alternatives):
        match clauses:
            case (Literals(any=texts, fold=fold),):
                single[fold] = single.get(fold, frozenset()) | texts
            case _:
                others.append(clauses)
    return (*((Literals(texts, fold),) for fold, texts in sorted(single.items())), *others)


def _clauses(items: Any) -> Clauses:  # noqa: ANN401 - the parser's own tree
    folded = necessary(items, fold=True)
    exact = [each for each in necessary(items, fold=False) if len(each) <= _FEW and _folded(each) not in folded]
    told = [*(Literals(texts, fold=True) for texts in folded), *(Literals(texts, fold=False) for texts in exact)]
    literals = sorted(told, key=lambda each: len(each.any))
    if literals and len(literals[0].any) <= _FEW:
        literals = [each for each in literals if len(each.any) <= _WORDS][:_SETS]
    else:
        literals = literals[:1]
    digits = digit_gate(items)
    return tuple(literals) if digits is None else (*literals, Match(digits))


def _folded(texts: frozenset[str]) -> frozenset[str]:
    return frozenset(text.lower() for text in texts)


def _alternatives(items: list[Any]) -> list[Any]:
    """Give the trees of the alternatives of the part that is replaced, each with what stands around them."""
    for at, (operator, argument) in enumerate(items):
        inner = argument[-1] if operator is _constants.SUBPATTERN and argument[0] is None else [(operator, argument)]
        if len(inner) == 1 and inner[0][0] is _constants.BRANCH:
            return [[*items[:at], *branch, *items[at + 1 :]] for branch in inner[0][1][1]]
    return [items]
