"""The text that numbers are looked for in: without its words, a tenth is left of a stack trace.

Most patterns of numbers take as long as the text is, and most of a text is letters. Of each stretch without a digit
that begins and ends with letters only its ends are left. What has no letter within, and a digit, is found in the one
text wherever it is in the other.
"""

from __future__ import annotations

import re
from re import _constants, _parser  # type: ignore[attr-defined] # the one reader of patterns that gives its tree
from string import ascii_letters, digits
from typing import Any, Final

# No percent sign: the two letters behind one are a character between digits, or behind the last of them.
WORDS: Final = "([A-Za-z]{2})[^0-9%]{3,}([^0-9%]{2}[A-Za-z])"
ENDS: Final = "${1}${2}"
# What a bank account number begins with, and a character before it; in whichever words, they stay.
_LETTERS_AND_DIGITS: Final = re.compile(r"(\\b|\w)(?:\(\?:)*(\[A-Za-z\]\{2\}\[0-9\]\{2\})")
_LETTERS: Final = frozenset(ascii_letters)
_PERCENT: Final = (_constants.LITERAL, ord("%"))
_ESCAPED: Final = 2
_DIGITS: Final = frozenset(digits)
_ASCII: Final = 0x7F
_ALL: Final = frozenset(map(chr, range(_ASCII + 1)))


def is_wordless(pattern: str) -> bool:
    """Tell whether a pattern is found in the text without words wherever it is found in the text.

    Args:
        pattern: in the policy's subset. Letters may stand in it behind a percent sign, and as its last character,
            behind a digit.
    """
    items = list(_parser.parse(pattern))
    last = items[-1:] if _has_digit(items[:-1]) and not _is_wordless(items) and _is_one(items[-1]) else []
    kept = items[: len(items) - len(last)]
    return _has_digit(kept) and _is_wordless(kept)


def wordless_beginning(pattern: str) -> str | None:
    """Give the beginning of a pattern that is found in the text without words wherever the whole is in the text.

    Args:
        pattern: in the policy's subset.

    Returns:
        What ends with two letters and two digits; None: it does not begin so.
    """
    found = _LETTERS_AND_DIGITS.match(pattern)
    return f"{found[1]}{found[2]}" if found else None


def _has_digit(items: Any) -> bool:  # noqa: ANN401
    """Tell whether some part of a sequence is a digit, and nothing else."""
    for operator, argument in items:
        if operator is _constants.IN and chars(argument) == _DIGITS:
            return True
        if operator is _constants.SUBPATTERN and _has_digit(argument[-1]):
            return True
        if operator is _constants.MAX_REPEAT and argument[0] > 0 and _has_digit(argument[-1]):
            return True
    return False


def _is_wordless(items: Any) -> bool:  # noqa: ANN401
    """Tell whether no letter is in what a sequence matches but for the two signs behind a percent sign."""
    told, escaped = True, 0
    for item in items:
        operator, argument = item
        if escaped and operator in {_constants.LITERAL, _constants.IN}:
            escaped -= 1
            continue
        if escaped == _ESCAPED and operator is _constants.MAX_REPEAT and argument[:2] == (_ESCAPED, _ESCAPED):
            escaped = 0
            continue
        escaped = _ESCAPED if item == _PERCENT else 0
        if operator in {_constants.LITERAL, _constants.IN}:
            told = told and chars([item] if operator is _constants.LITERAL else argument).isdisjoint(_LETTERS)
        elif operator is _constants.SUBPATTERN or operator is _constants.MAX_REPEAT:
            told = told and _is_wordless(argument[-1])
        elif operator is _constants.BRANCH:
            told = told and all(map(_is_wordless, argument[1]))
        else:
            told = told and operator is _constants.AT
    return told


def _is_one(item: Any) -> bool:  # noqa: ANN401
    """Tell whether a part is one character or none."""
    operator, argument = item
    if operator is _constants.SUBPATTERN:
        return len(argument[-1]) == 1 and _is_one(argument[-1][0])
    if operator is _constants.BRANCH:
        return all(len(each) == 1 and _is_one(each[0]) for each in argument[1])
    return operator in {_constants.LITERAL, _constants.IN, _constants.AT}


def chars(members: Any) -> frozenset[str]:  # noqa: ANN401
    """Give which ASCII characters a class has."""
    told: set[str] = set()
    for kind, argument in members:
        if kind is _constants.LITERAL:
            told.add(chr(argument))
        elif kind is _constants.RANGE:
            told.update(map(chr, range(argument[0], min(argument[1], _ASCII) + 1)))
    return frozenset(_ALL - told) if members[0][0] is _constants.NEGATE else frozenset(told)
