"""When a rule is tried at all: conditions that hold wherever it could hit, and cost a hundredth of trying it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import chain
from re import _constants, _parser  # type: ignore[attr-defined] # the one reader of patterns that gives its tree
from typing import TYPE_CHECKING, Any, Final

from telemetry.collector.clauses import FOLDED, KEYS, TEXT, WITHOUT_EXEMPT, WORDLESS, AnyOf, Literals, Match
from telemetry.collector.covers import cover
from telemetry.collector.digits import digit_gate
from telemetry.collector.necessary import necessary
from telemetry.collector.ottl import all_of, any_of
from telemetry.collector.overlaps import literal_overlaps, overlaps
from telemetry.collector.wordless import is_wordless, wordless_beginning
from telemetry.pii.keys import key_pattern

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from telemetry.collector.clauses import Clauses
    from telemetry.pii.model import KeyRule, ValueRule

BEFORE_SHORT: Final = "\x02"
_SETS: Final = 3
# Behind few literals even as many words as there are names are worth a look; behind many, no more are.
_WORDS: Final = 80
_FEW: Final = 32
_DIGITS_THAT_TELL: Final = 8
_QUESTIONS_OF_A_MATCH: Final = 40
# So many necessary patterns know the words that the literals are about: pieces of those are enough to ask before.
_TELLING: Final = 10


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


def has_numbers(rule: ValueRule) -> bool:
    """Tell whether whatever a rule matches has so many digits that others may ask for them."""
    return digit_gate(list(_parser.parse(rule.pattern))) is not None


def patterns(gate: Gate) -> tuple[Clauses, ...]:
    """Give what of a gate is asked by patterns; none: not every match has any."""
    told = [tuple(each for each in clauses if not isinstance(each, Literals)) for clauses in gate.alternatives]
    return tuple(told) if all(told) else ()


def texts(alternatives: Iterable[Clauses]) -> frozenset[str]:
    """Give which texts some patterns are looked for in."""
    return frozenset(match.text for clauses in alternatives for each in clauses for match in _matches(each))


def _matches(clause: Literals | Match | AnyOf) -> tuple[Match, ...]:
    match clause:
        case Match():
            return (clause,)
        case AnyOf(alternatives=alternatives):
            return tuple(chain.from_iterable(alternatives))
    return ()


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
        folded = ((Match(pattern, FOLDED),) for pattern in rule.necessary_folded)
        patterns = AnyOf((*(_looked_for(pattern, text) for pattern in rule.necessary), *folded))
        literals = tuple(each for each in together if isinstance(each, Literals))
        if len(patterns.alternatives) >= _TELLING:
            literals = tuple(replace(each, any=cover(each.any)) for each in literals)
        chosen = [tuple(sorted((*literals, patterns), key=_questions))]
    elif not digit_gate(items, fewest=_DIGITS_THAT_TELL) and all(apart):
        literals = tuple(each for each in together if isinstance(each, Literals))
        # The words are asked for once, and then for the numbers of each alternative.
        numbers = [tuple(each for each in clauses if isinstance(each, Match)) for clauses in apart]
        chosen = [(*literals, AnyOf(tuple(dict.fromkeys(numbers))))] if all(numbers) else [literals]
        if not literals or _cost(apart) < _cost([literals]):
            chosen = apart
    without = [tuple(each for each in clauses if not _is_in(placeholders, each)) for clauses in chosen]
    return Gate(_merged(chosen), _merged(without))


def _looked_for(pattern: str, text: str) -> tuple[Match, ...]:
    """Give what finds a necessary pattern in a text, where it can by that of which the words were taken out."""
    if text != TEXT:
        return (Match(pattern, text),)
    if is_wordless(pattern):
        return (Match(pattern, WORDLESS),)
    beginning = wordless_beginning(pattern)
    return (Match(pattern),) if beginning is None else (Match(beginning, WORDLESS), Match(pattern))


def _questions(clause: Literals | Match | AnyOf) -> int:
    """Give about how many questions a text takes that a clause does not hold for."""
    match clause:
        case Literals(any=literals):
            return len(cover(literals))
        case Match(pattern=pattern, text=text):
            # What begins with a character is searched for as fast as a literal.
            (operator, _), *_rest = _parser.parse(pattern)
            return 1 if operator is _constants.LITERAL else _QUESTIONS_OF_A_MATCH // (4 if text == WORDLESS else 1)
    return sum(_questions(patterns[0]) for patterns in clause.alternatives)


def _is_in(placeholders: Collection[str], clause: Literals | Match | AnyOf) -> bool:
    """Say whether a placeholder may be what a clause asks for."""
    match clause:
        case Literals(any=words):
            return any(literal_overlaps(word.lower(), text.lower()) for word in words for text in placeholders)
        case Match(pattern=pattern, text=text):
            return any(overlaps(pattern, each.lower() if text == FOLDED else each) for each in placeholders)
    return any(_is_in(placeholders, each) for patterns in clause.alternatives for each in patterns)


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
    return sum(_questions(clauses[0]) for clauses in alternatives)


def _merged(alternatives: Sequence[Clauses]) -> tuple[Clauses, ...]:
    """Make one of all alternatives that one list of literals decides; none, if one of them has nothing to ask."""
    if not all(alternatives):
        return ()
    single: dict[tuple[bool, str], frozenset[str]] = {}
    others: list[Clauses] = []
    for clauses in _distinct(alternatives):
        match clauses:
            case (Literals(any=texts, fold=fold, folded=folded),):
                single[fold, folded] = single.get((fold, folded), frozenset()) | texts
            case _:
                others.append(clauses)
    return (*((Literals(texts, *which),) for which, texts in sorted(single.items())), *others)


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
    return tuple(literals) if digits is None else (*literals, *_looked_for(digits, TEXT))


def _folded(texts: frozenset[str]) -> frozenset[str]:
    return frozenset(text.lower() for text in texts)


def _alternatives(items: list[Any]) -> list[Any]:
    """Give the trees of the alternatives of the part that is replaced, each with what stands around them."""
    for at, (operator, argument) in enumerate(items):
        inner = argument[-1] if operator is _constants.SUBPATTERN and argument[0] is None else [(operator, argument)]
        if len(inner) == 1 and inner[0][0] is _constants.BRANCH:
            return [[*items[:at], *branch, *items[at + 1 :]] for branch in inner[0][1][1]]
    return [items]
