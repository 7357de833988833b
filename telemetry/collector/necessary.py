"""What must be in a text for a pattern to match it: read off the pattern, so that no gate is written by hand.

A regular expression costs the collector some 100 ns a character, a search for a literal 0.05. Each rule is therefore
tried only where its necessary literals are. The analysis is the one of "trigram" indexes over regular expressions:
for each part of a pattern either all texts that it matches (if they are few), or sets of literals of each of which
one is in whatever it matches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from re import _constants  # type: ignore[attr-defined] # the one reader of patterns that gives its tree
from typing import Any, Final

# So many literals at most in one set, and so many texts of one part are told apart.
_MOST: Final = 96
_LONGEST_EXACT: Final = 24
_TELLING: Final = 8
_LETTERS: Final = 3
_EVERYWHERE: Final = frozenset(" ./:-_,")
# Members at most of a class that is told apart: the digits are.
_FEW: Final = 10
# Of more pairs of letters than this one is in every text.
_MANY: Final = 40


@dataclass(frozen=True, slots=True)
class _Part:
    """What is known of a part of a pattern.

    Attributes:
        exact: every text that it matches; None: too many.
        sets: of each one literal is in whatever it matches.
    """

    exact: frozenset[str] | None
    sets: tuple[frozenset[str], ...] = ()


_NOTHING: Final = _Part(frozenset({""}))
_ANYTHING: Final = _Part(None)


def necessary(tree: Any, *, fold: bool) -> tuple[frozenset[str], ...]:  # noqa: ANN401 - the parser's own tree
    """Give sets of literals; what the pattern matches holds one of each set. The most telling ones come first.

    Args:
        tree: of a pattern in the policy's subset.
        fold: whether the literals are looked for in a text that was made lower-case, and are lower-case then.
    """
    part = _sequence(tree, fold)
    found = [*part.sets, *([part.exact] if part.exact is not None else [])]
    told = {_minimal(each) for each in found if "" not in each}
    return tuple(sorted(filter(_tells, told), key=_rank))


def _tells(literals: frozenset[str]) -> bool:
    """Say whether there are texts without any of them: every text has digits, letters and what stands between words."""
    short = [each for each in literals if len(each) == 1]
    if any(char.isalnum() or char in _EVERYWHERE for char in short):
        return False
    return len(literals) <= _MANY or min(map(len, literals)) >= _LETTERS


def _rank(literals: frozenset[str]) -> tuple[int, int, list[str]]:
    """Eight characters tell as much as eighty; of those, fewer literals cost less. Sets have no order of their own."""
    return (-min(_TELLING, *map(len, literals)), len(literals), sorted(literals))


def _minimal(literals: frozenset[str]) -> frozenset[str]:
    """Leave out what holds another one."""
    return frozenset(one for one in literals if not any(other != one and other in one for other in literals))


def _sequence(items: Any, fold: bool) -> _Part:  # noqa: ANN401 - the parser's own tree
    parts = [_one(operator, argument, fold) for operator, argument in items]
    sets: list[frozenset[str]] = []
    run = whole = frozenset({""})
    exact = True
    for part in parts:
        whole = _joined(whole, part.exact) if exact and part.exact is not None else whole
        exact = exact and part.exact is not None and _fits(whole)
        # Between two optional parts a word is a word: `access` tells as much as `access-key` in five spellings.
        longer = None if part.exact is None or "" in part.exact else _joined(run, part.exact)
        sets += part.sets
        if longer is not None and _fits(longer):
            run = longer
            continue
        sets.append(run)
        run = part.exact if part.exact is not None else frozenset({""})
    sets.append(run)
    told = tuple(each for each in sets if "" not in each)
    return _Part(whole, told) if exact else _Part(None, told)


def _joined(texts: frozenset[str], more: frozenset[str]) -> frozenset[str]:
    return frozenset(a + b for a in texts for b in more)


def _fits(texts: frozenset[str]) -> bool:
    return len(texts) <= _MOST and max(map(len, texts)) <= _LONGEST_EXACT


def _one(operator: Any, argument: Any, fold: bool) -> _Part:  # noqa: ANN401, PLR0911 - a case an operator
    if operator is _constants.LITERAL:
        return _chars({chr(argument)}, fold)
    if operator is _constants.IN:
        return _class(argument, fold)
    if operator is _constants.AT:
        return _NOTHING
    if operator is _constants.SUBPATTERN:
        _, flags, _, items = argument
        return _sequence(items, fold) if fold or not flags & re.IGNORECASE else _ANYTHING
    if operator is _constants.BRANCH:
        return _alternatives([_sequence(branch, fold) for branch in argument[1]])
    if operator is _constants.MAX_REPEAT:
        return _repeat(argument, fold)
    return _ANYTHING


def _class(members: Any, fold: bool) -> _Part:  # noqa: ANN401
    chars: set[str] = set()
    for kind, argument in members:
        if kind is _constants.LITERAL:
            chars.add(chr(argument))
        elif kind is _constants.RANGE and argument[1] - argument[0] < _LONGEST_EXACT:
            chars.update(map(chr, range(argument[0], argument[1] + 1)))
        else:
            return _ANYTHING
    return _chars(chars, fold)


def _chars(chars: set[str], fold: bool) -> _Part:
    told = frozenset(char.lower() for char in chars) if fold else frozenset(chars)
    # A letter that is two in lower case is so in Python alone.
    return _Part(told) if len(told) <= _FEW and all(len(char) == 1 for char in told) else _ANYTHING


def _alternatives(parts: list[_Part]) -> _Part:
    chosen = []
    for part in parts:
        candidates = [each for each in (*part.sets, part.exact) if each is not None and "" not in each]
        if candidates:
            chosen.append(min(candidates, key=_rank))
    union = _minimal(frozenset().union(*chosen)) if len(chosen) == len(parts) else frozenset()
    sets = (union,) if union and len(union) <= _MOST else ()
    exact = [part.exact for part in parts if part.exact is not None]
    whole = frozenset().union(*exact)
    return _Part(whole if len(exact) == len(parts) and len(whole) <= _MOST else None, sets)


def _repeat(argument: tuple[int, Any, Any], fold: bool) -> _Part:
    low, high, items = argument
    part = _sequence(items, fold)
    if part.exact is not None and (low, high) == (0, 1):
        return _Part(part.exact | {""})
    if low == 0:
        return _ANYTHING
    if part.exact is not None and low == high:
        texts = part.exact
        for _ in range(low - 1):
            texts = frozenset(a + b for a in texts for b in part.exact)
            if len(texts) > _MOST:
                return _Part(None, (part.exact,))
        return _Part(texts)
    sets = (*part.sets, *([part.exact] if part.exact is not None else []))
    return _Part(None, sets)
