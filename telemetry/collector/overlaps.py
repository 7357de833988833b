"""Whether a placeholder may be a part of what a pattern asks for: what ends behind it counts too."""

from __future__ import annotations

from re import _constants, _parser  # type: ignore[attr-defined] # the one reader of patterns that gives its tree
from typing import Any


def overlaps(pattern: str, text: str) -> bool:
    """Tell whether a match of a pattern may begin in a text and end in it, or anywhere behind it.

    Args:
        pattern: in the policy's subset; places are taken for everywhere.
        text: what stands before whatever may follow.
    """
    items = _parser.parse(pattern)
    return any(_after(items, text, {start}) for start in range(len(text)))


def _after(items: Any, text: str, places: set[int]) -> set[int]:  # noqa: ANN401 - the parser's own tree
    """Give where a sequence may end that begins at one of some places; the end of the text: anywhere behind it."""
    for operator, argument in items:
        if operator is _constants.SUBPATTERN:
            places = _after(argument[-1], text, places)
        elif operator is _constants.BRANCH:
            places = set().union(*(_after(branch, text, places) for branch in argument[1]))
        elif operator is _constants.MAX_REPEAT:
            low, high, inner = argument
            places = _repeated(inner, text, places, low=low, high=high)
        elif operator is not _constants.AT:
            places = {
                min(place + 1, len(text))
                for place in places
                if place == len(text) or _is(operator, argument, text[place])
            }
    return places


def _repeated(items: Any, text: str, places: set[int], *, low: int, high: int) -> set[int]:  # noqa: ANN401
    found = set(places) if low == 0 else set[int]()
    # More often than there are characters changes nothing.
    for number in range(1, min(high, low + len(text)) + 1):
        places = _after(items, text, places)
        found |= places if number >= low else set()
    return found


def _is(operator: Any, argument: Any, char: str) -> bool:  # noqa: ANN401
    if operator is _constants.IN:
        negated = argument[0][0] is _constants.NEGATE
        return any(_is(kind, told, char) for kind, told in argument[negated:]) is not negated
    if operator is _constants.RANGE:
        return bool(argument[0] <= ord(char) <= argument[1])
    if operator is _constants.NOT_LITERAL:
        return chr(argument) != char
    return operator is _constants.LITERAL and chr(argument) == char
