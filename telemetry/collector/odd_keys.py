"""Keys in which something may be: they are looked at as values, among the others, and renamed if it was there.

Each rule would otherwise have to be written twice, once for keys, and the collector reads every pattern when it starts.
OTTL has no loop, so there are places for so many odd keys in one item; where there are more, all of them go.
"""

from __future__ import annotations

from typing import Final

from telemetry.collector.marks import MAP, OURS, RESERVED, UNSCRUBBABLE
from telemetry.collector.ottl import literal

_PLACES: Final = 16
# Signs that are in no name, long words, more than three digits.
_ODD: Final = "[^A-Za-z0-9_./-]|[A-Za-z0-9]{15}|[0-9](?:[^0-9]*[0-9]){3}"
# Almost all others: short words, which are soon told.
_USUAL: Final = "^(?:[A-Za-z]{1,14}[_./-]+)*[A-Za-z]{0,14}$"
_KEY: Final = f"{RESERVED}key"
_PLACED: Final = f"{OURS}key[.]"
_FOUND: Final = 'cache["f"]'
_KEYS: Final = 'cache["kk"]'

BEFORE: Final = (
    f"set({_FOUND}, {MAP})",
    f"delete_matching_keys({_FOUND}, {literal(_USUAL)})",
    f"keep_matching_keys({_FOUND}, {literal(_ODD)})",
    f"delete_matching_keys({_FOUND}, {literal(OURS)})",
    f"delete_matching_keys({MAP}, {literal(_ODD)}) where Len({_FOUND}) > {_PLACES}",
    f"set({MAP}[{literal(UNSCRUBBABLE)}], {literal(UNSCRUBBABLE)}) where Len({_FOUND}) > {_PLACES}",
    f'set({_KEYS}, ParseJSON("{{}}"))',
    f"set({_KEYS}[{literal(_KEY)}], Keys({_FOUND})) where Len({_FOUND}) > 0 and Len({_FOUND}) <= {_PLACES}",
    f"flatten({_KEYS})",
    f'merge_maps({MAP}, {_KEYS}, "upsert")',
)
"""Put the odd keys into `MAP`, as values."""


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
