"""The texts that gates ask: all that an item holds, in one."""

from __future__ import annotations

from typing import Final

from telemetry.collector.clauses import FOLDED, TEXT, WORDLESS
from telemetry.collector.ottl import literal
from telemetry.collector.wordless import ENDS, WORDS

# Between a key and its value, and before a key: what no rule for numbers goes over.
_AFTER_KEY: Final = "\r"
_BEFORE_KEY: Final = "\n"
_QUOTE, _ESCAPED_QUOTE = '"', r'\\"'


def text_of(text: str, mapping: str, *paths: str) -> tuple[str, ...]:
    """Give the statements that put a map and other texts into one.

    Args:
        text: where it is put.
        mapping: the map.
        paths: of the other texts.
    """
    told = f"ToKeyValueString({mapping}, {literal(_AFTER_KEY)}, {literal(_BEFORE_KEY)})"
    pieces = ", ".join((literal(""), told, *paths, literal("")))
    # It escapes quotes, and nothing else.
    unescaped = f"replace_pattern({text}, {literal(_ESCAPED_QUOTE)}, {literal(_QUOTE)})"
    return (f"set({text}, Concat([{pieces}], {literal(_BEFORE_KEY)}))", unescaped)


def folded_text() -> tuple[str, ...]:
    """Give the statement that makes `TEXT` lower-case."""
    return (f"set({FOLDED}, ToLowerCase({TEXT}))",)


def wordless_text() -> tuple[str, ...]:
    """Give the statements that take the words out of `TEXT`."""
    return (
        f"set({WORDLESS}, {TEXT})",
        f"replace_pattern({WORDLESS}, {literal(WORDS)}, {literal(ENDS)})",
    )
