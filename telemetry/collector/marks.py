"""What the statements about an item hand to one another: the map that is scrubbed, and the list of what is tried."""

from __future__ import annotations

from typing import Final

from telemetry.collector.ottl import literal, where

# Whatever begins with this key is ours, and leaves no collector.
RESERVED: Final = "pii.scrub."
# The pattern of such keys.
OURS: Final = f"^{RESERVED.replace('.', '[.]')}"
UNSCRUBBABLE: Final = "[REDACTED:unscrubbable]"
MAP: Final = 'cache["a"]'
HITS: Final = 'cache["h"]'
# What would do once a placeholder is there.
WEAKER: Final = 'cache["v"]'
NO_HITS: Final = ";"
# Behind a name: once a placeholder is there.
PERHAPS: Final = "?"


def is_hit(name: str) -> str:
    """Give the condition that a rule is to be tried, or whatever else may be listed.

    Args:
        name: unique; without semicolons.
    """
    return f"Index({HITS}, {literal(f';{name};')}) != -1"


def hit(name: str, condition: str | None, among: str = HITS) -> str:
    """Give the statement that lists a name.

    Args:
        name: as of `is_hit`.
        condition: under which it is; None: always.
        among: the list.
    """
    statement = f'set({among}, Concat([{among}, {literal(f"{name};")}], ""))'
    return statement if condition is None else where(condition, statement)
