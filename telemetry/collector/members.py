"""Members of maps that a key rule hits, whatever stands in the key before the words that count.

The rule that finds members in texts knows neither where a string of JSON ends nor keys with unusual signs, since a text
may hold anything. Of the JSON that the collector made itself both are known: its strings are put between signs that no
JSON has, and so are the placeholders, for the time of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.collector.marks import UNSCRUBBABLE
from telemetry.collector.ottl import literal
from telemetry.pii.keys import MEMBER, Around, spellings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.pii.model import KeyRule

_BEGIN, _END = "\x06", "\x05"
_HIDDEN, _SHOWN = "\x0e", "\x0f"
_CHAR: Final = rf"[^\\{_END}{_BEGIN}]|\\."
# A key as JSON writes it: with some signs behind a backslash.
_IN_JSON: Final = Around(
    anything=f"(?:{_CHAR})*",
    end=rf"(?:[^A-Za-z0-9\\{_END}{_BEGIN}]|\\u[0-9a-f]{{4}}|\\[^u])",
    number=MEMBER.number,
)
# Longer than nothing, and no placeholder as a whole.
_STRING: Final = f"({_BEGIN})(?:[^{_HIDDEN}{_END}]|{_HIDDEN}[^{_SHOWN}{_END}]*{_SHOWN}[^{_END}])[^{_END}]*({_END})"
_NUMBER: Final = "-?[0-9][0-9.eE+-]*"
_NO_BRACKET: Final = rf"[^\[\]{{}}{_END}{_BEGIN}]|{_BEGIN}[^{_END}]*{_END}"
_LEVELS: Final = 3


def _container() -> str:
    told = _NO_BRACKET
    for _ in range(_LEVELS - 1):
        told = rf"{_NO_BRACKET}|[\[{{](?:{told})*[\]}}]"
    return rf"[\[{{](?:{told})+[\]}}]"


def members(mapping: str, rules: Sequence[KeyRule], placeholder: str) -> tuple[str, ...]:
    """Give the statements that replace what is under sensitive keys, in the JSON between the signs.

    Args:
        mapping: its values are such JSON.
        rules: the key rules.
        placeholder: what takes the place of strings, numbers, arrays and maps; of more levels than the pattern knows
            the whole JSON goes.
    """
    keys = "|".join(spellings(rule, _IN_JSON) for rule in rules)
    hidden = placeholder.replace("[REDACTED:", _HIDDEN).replace("]", _SHOWN)
    pattern = rf"({_BEGIN}(?:{keys}){_END}:)(?:{_STRING}|{_NUMBER}|{_container()}|([\[{{])[^\]}}])"
    return (
        _replace(mapping, pattern, f"${{1}}${{2}}{hidden}${{3}}${{4}}"),
        _replace(mapping, rf"(?s)^.*:{hidden}[\[{{].*$", UNSCRUBBABLE),
    )


def _replace(mapping: str, pattern: str, told: str) -> str:
    return f'replace_all_patterns({mapping}, "value", {literal(pattern)}, {literal(told)})'


def between_signs(mapping: str) -> tuple[str, ...]:
    """Give the statements that put strings and placeholders of JSON between the signs.

    Args:
        mapping: its values are JSON.
    """
    return (
        _replace(mapping, r"\[REDACTED:([a-z0-9_:]+)\]", f"{_HIDDEN}${{1}}{_SHOWN}"),
        _replace(mapping, r'"((?:[^"\\]|\\.)*)"', f"{_BEGIN}${{1}}{_END}"),
    )


def between_quotes(mapping: str) -> tuple[str, ...]:
    """Give the statements that put them between quotes again, and semicolons around strings that are no keys.

    Args:
        mapping: its values are JSON between the signs.
    """
    return tuple(
        _replace(mapping, what, told)
        for what, told in (
            (f"{_END}:", '":'),
            (rf'{_BEGIN}((?:[^"\\{_END}{_BEGIN}]|\\.)*":)', '"${1}'),
            (_BEGIN, '";'),
            (_END, ';"'),
            (_HIDDEN, "[REDACTED:"),
            (_SHOWN, "]"),
        )
    )
