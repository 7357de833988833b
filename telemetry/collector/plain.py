"""Patterns for texts without a backslash, a percent sign or an escape character: most texts are.

Half of a long pattern is for what such signs write: a quote in JSON, a blank in a URL, a colour. Without those
alternatives the collector's engine takes half the time, and in a text without the signs it finds the same.
"""

from __future__ import annotations

import re
from re import _constants, _parser  # type: ignore[attr-defined] # the one reader of patterns that gives its tree
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

SIGNS: Final = ("%", "\\", "\x1b")
# Where less is left out, or what is left is long, a second pattern is not worth its place in the file.
_MOST_LEFT: Final = 0.96
_LONGEST: Final = 2000
_SPECIAL: Final = frozenset("\\.[]{}()*+?^$|-")
_PLACES: Final = {_constants.AT_BEGINNING: "^", _constants.AT_BOUNDARY: "\\b"}
_REPEATS: Final = {(0, 1): "?", (0, _constants.MAXREPEAT): "*", (1, _constants.MAXREPEAT): "+"}
_ATOMS: Final = {_constants.LITERAL, _constants.NOT_LITERAL, _constants.IN, _constants.SUBPATTERN}


class _GoneError(Exception):
    """A part matches nothing without the signs."""


def plain(pattern: str) -> str | None:
    """Give what of a pattern can match where none of the signs is.

    Args:
        pattern: in the policy's subset.

    Returns:
        A pattern with the same groups; None: it would not be shorter by enough, or not have them all.
    """
    try:
        told = _sequence(_parser.parse(pattern))
    except _GoneError:
        return None
    same_groups = re.compile(told).groups == re.compile(pattern).groups
    return told if same_groups and len(told) <= min(len(pattern) * _MOST_LEFT, _LONGEST) else None


def _sequence(items: Any) -> str:  # noqa: ANN401 - the parser's own tree
    return "".join(_one(operator, argument) for operator, argument in items)


def _one(operator: Any, argument: Any) -> str:  # noqa: ANN401, PLR0911 - a case an operator
    if operator is _constants.LITERAL:
        if chr(argument) in SIGNS:
            raise _GoneError
        return _char(argument)
    if operator is _constants.NOT_LITERAL:
        return f"[^{_char(argument)}]"
    if operator is _constants.IN:
        return _class(argument)
    if operator is _constants.AT:
        return _PLACES[argument]
    if operator is _constants.SUBPATTERN:
        number, flags, _, inner = argument
        opened = "(" if number is not None else "(?i:" if flags & re.IGNORECASE else "(?:"
        return f"{opened}{_sequence(inner)})"
    if operator is _constants.BRANCH:
        return _alternatives(argument[1])
    return _repeat(*argument)


def _alternatives(branches: Iterable[Any]) -> str:
    told = []
    for branch in branches:
        try:
            told.append(_sequence(branch))
        except _GoneError:
            continue
    if not told:
        raise _GoneError
    return f"(?:{'|'.join(told)})"


def _repeat(low: int, high: Any, items: Any) -> str:  # noqa: ANN401
    try:
        inner = _sequence(items)
    except _GoneError:
        if low == 0:
            return ""
        raise
    most = "" if high is _constants.MAXREPEAT else high
    often = _REPEATS.get((low, high)) or (f"{{{low}}}" if low == high else f"{{{low},{most}}}")
    return f"{inner}{often}" if len(items) == 1 and items[0][0] in _ATOMS else f"(?:{inner}){often}"


def _class(members: Any) -> str:  # noqa: ANN401
    negated = members[0][0] is _constants.NEGATE
    told = []
    for kind, argument in members[1:] if negated else members:
        if kind is _constants.RANGE:
            told.append(f"{_char(argument[0])}-{_char(argument[1])}")
        elif negated or chr(argument) not in SIGNS:
            told.append(_char(argument))
    if not told:
        raise _GoneError
    return f"[{'^' if negated else ''}{''.join(told)}]"


def _char(code: int) -> str:
    char = chr(code)
    return f"\\{char}" if char in _SPECIAL else char
