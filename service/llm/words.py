"""Which rules can hit in a text of nothing but words.

Most need a digit or a sign such as `@` or `=`; where there is none, those need not be looked for. That is read off
their patterns, so that rules of others are judged as well.
"""

import re
import string
from functools import lru_cache
from re import _constants, _parser  # type: ignore[attr-defined] # the one reader of patterns that gives its tree
from typing import Any

_PLAIN = frozenset(string.ascii_letters + " \n,.;:!?()'\"-")
_SIGNS = frozenset(map(chr, range(128))) - _PLAIN
SIGN = re.compile(f"[{re.escape(''.join(sorted(_SIGNS)))}]")
"""Finds what is not of words. Every character beyond ASCII is."""

_BEYOND_ASCII = 128
_PLAIN_CODES = frozenset(map(ord, _PLAIN))


@lru_cache(maxsize=256)  # several applications in one process have the same rules
def in_words(pattern: str) -> bool:
    """Say whether a pattern may match a text of nothing but words; in doubt it may.

    Args:
        pattern: in the policy's subset.
    """
    return _sequence(_parser.parse(pattern))


def _sequence(items: Any) -> bool:  # noqa: ANN401 - the parser's own tree
    return all(_one(operator, argument) for operator, argument in items)


def _one(operator: Any, argument: Any) -> bool:  # noqa: ANN401 - the parser's own tree
    match operator:
        case _constants.LITERAL:
            return argument >= _BEYOND_ASCII or argument in _PLAIN_CODES
        case _constants.IN:
            return _class(argument)
        case _constants.BRANCH:
            return any(map(_sequence, argument[1]))
        case _constants.SUBPATTERN:
            return _sequence(argument[3])
        case _constants.MAX_REPEAT:
            return argument[0] == 0 or _sequence(argument[2])
        case _:
            return True


def _class(members: Any) -> bool:  # noqa: ANN401 - the parser's own tree
    negated = members[0][0] is _constants.NEGATE
    listed = [(each, each) if kind is _constants.LITERAL else each for kind, each in members[negated:]]
    if any(high >= _BEYOND_ASCII for _, high in listed) or negated:
        # Without a list of all characters: whoever leaves some of them out takes others.
        return True
    return any(low <= code <= high for low, high in listed for code in _PLAIN_CODES)
