"""Keys in which something may be: they are looked at as values, among the others, and renamed if it was there.

Each rule would otherwise have to be written twice, once for keys, and the collector reads every pattern when it starts.
OTTL has no loop, so there are places for so many odd keys in one item; where there are more, all of them go.
"""

from __future__ import annotations

import re
from re import _constants, _parser  # type: ignore[attr-defined] # the one reader of patterns that gives its tree
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Any, Final

from telemetry.collector.digits import digit_gate
from telemetry.collector.marks import MAP, OURS, RESERVED, UNSCRUBBABLE, is_hit
from telemetry.collector.necessary import necessary
from telemetry.collector.ottl import any_of, literal
from telemetry.collector.wordless import chars

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from telemetry.pii.model import ValueRule

_PLACES: Final = 16
# Signs that are in no name, long words, more than three digits.
_ODD: Final = "[^A-Za-z0-9_./-]|[A-Za-z0-9]{15}|[0-9](?:[^0-9]*[0-9]){3}"
# Almost all others: short words, which are soon told.
_USUAL: Final = "^(?:[A-Za-z]{1,14}[_./-]+)*[A-Za-z]{0,14}$"
_KEY: Final = f"{RESERVED}key"
_PLACED: Final = f"{OURS}key[.]"
_FOUND: Final = 'cache["f"]'
_KEYS: Final = 'cache["kk"]'

_LIKE_RULES: Final = 'cache["ok"]'
_SIGNS_OF_NAMES: Final = frozenset(f"{ascii_letters}{digits}_./-")


def before(rules: Iterable[ValueRule]) -> Iterator[str]:
    """Give the statements that put the odd keys into `MAP`, as values.

    Args:
        rules: the value rules. What some of them hit looks like any other name: a key to an interface may be of small
            letters and underlines.
    """
    found = {rule.name: told for rule in rules if (told := _sign(rule)) is not None}
    like_rules, hit = literal("|".join(found.values())), any_of(map(is_hit, found)) if found else ""
    yield f"set({_FOUND}, {MAP})"
    yield f"delete_matching_keys({_FOUND}, {literal(_USUAL)})"
    yield f"keep_matching_keys({_FOUND}, {literal(_ODD)})"
    if found:
        yield f"set({_LIKE_RULES}, {MAP}) where {hit}"
        yield f"keep_matching_keys({_LIKE_RULES}, {like_rules}) where {hit}"
        yield f'merge_maps({_FOUND}, {_LIKE_RULES}, "upsert") where {hit}'
    yield f"delete_matching_keys({_FOUND}, {literal(OURS)})"
    yield f"delete_matching_keys({MAP}, {literal(_ODD)}) where Len({_FOUND}) > {_PLACES}"
    if found:
        yield f"delete_matching_keys({MAP}, {like_rules}) where Len({_FOUND}) > {_PLACES} and {hit}"
    yield f"set({MAP}[{literal(UNSCRUBBABLE)}], {literal(UNSCRUBBABLE)}) where Len({_FOUND}) > {_PLACES}"
    yield f'set({_KEYS}, ParseJSON("{{}}"))'
    yield f"set({_KEYS}[{literal(_KEY)}], Keys({_FOUND})) where Len({_FOUND}) > 0 and Len({_FOUND}) <= {_PLACES}"
    yield f"flatten({_KEYS})"
    yield f'merge_maps({MAP}, {_KEYS}, "upsert")'


def _sign(rule: ValueRule) -> str | None:
    """Give a pattern of whatever a rule hits that may be in a name without anything odd; None: that cannot be."""
    items = list(_parser.parse(rule.pattern))
    if not _is_in_names(items) or digit_gate(items) is not None:
        return None
    told = [each for each in rule.necessary if _is_in_names(_parser.parse(each))]
    if rule.necessary:
        return "|".join(told) or None
    sets = sorted(necessary(items, fold=False), key=len)
    return "|".join(sorted(map(re.escape, sets[0]))) if sets else rule.pattern


def _is_in_names(items: Any) -> bool:  # noqa: ANN401 - the parser's own tree
    """Tell whether a sequence may match something that is made of the signs of names only."""
    for operator, argument in items:
        if operator is _constants.LITERAL:
            told = chr(argument) in _SIGNS_OF_NAMES
        elif operator is _constants.IN:
            told = not _SIGNS_OF_NAMES.isdisjoint(chars(argument))
        elif operator is _constants.SUBPATTERN:
            told = _is_in_names(argument[-1])
        elif operator is _constants.BRANCH:
            told = any(map(_is_in_names, argument[1]))
        elif operator is _constants.MAX_REPEAT:
            told = argument[0] == 0 or _is_in_names(argument[-1])
        else:
            told = True
        if not told:
            return False
    return True


def _renamed(number: int) -> tuple[str, ...]:
    place = literal(f"{_KEY}.{number}")
    before, after = f"{_KEYS}[{place}]", f"{MAP}[{place}]"
    changed = f"{before} != nil and {before} != {after}"
    return (
        f"set({MAP}[{after}], {MAP}[{before}]) where {changed}",
        f"delete_key({MAP}, {before}) where {changed}",
    )


AFTER: Final = (
    *(statement for number in range(_PLACES) for statement in _renamed(number)),
    f"delete_matching_keys({MAP}, {literal(_PLACED)}) where Len({_KEYS}) > 0",
)
"""Rename in `MAP` what was found in keys."""
