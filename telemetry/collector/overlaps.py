"""Whether a placeholder may be a part of what is asked for: what begins before it or ends behind it counts too."""

from __future__ import annotations

from re import _constants, _parser  # type: ignore[attr-defined] # the one reader of patterns that gives its tree
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# A place anywhere before the text.
_BEFORE: Final = -1


def overlaps(pattern: str, text: str) -> bool:
    """Tell whether a match of a pattern may have a character of a text in it, among whatever stands around the text.

    Args:
        pattern: in the policy's subset; places are taken for everywhere.
        text: what stands between whatever may be before it and whatever may follow.
    """
    items = _parser.parse(pattern)
    within = any(_after(items, text, {start}) for start in range(len(text)))
    return within or any(end > 0 for end in _after(items, text, {_BEFORE}))


def literal_overlaps(literal: str, text: str) -> bool:
    """Tell the same of a literal.

    Args:
        literal: what is looked for.
        text: as of `overlaps`.
    """
    parts = ((literal[:length], literal[-length:]) for length in range(1, len(literal)))
    return literal in text or any(text.endswith(first) or text.startswith(last) for first, last in parts)


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
            places = set(_behind(operator, argument, text, places))
    return places


def _behind(operator: Any, argument: Any, text: str, places: set[int]) -> Iterator[int]:  # noqa: ANN401
    """Give where one character ends: any character may stand before the text, and anything behind it."""
    for place in places:
        if place == _BEFORE:
            yield from (_BEFORE, 0)
        elif place == len(text):
            yield place
        elif _is(operator, argument, text[place]):
            yield place + 1


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
