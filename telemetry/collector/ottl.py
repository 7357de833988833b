"""OTTL and YAML as text: literals, and nothing that would have to be parsed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# A literal, or the first part of a path; what stands behind a point or before a bracket, an equals sign or another
# letter is none.
_PIECE: Final = re.compile(
    r""""(?:\\.|[^"\\])*"|(?<![\w.])(?:cache|(?:filtered_)?attributes|metadata|name|version|schema_url|description|"""
    r"unit|status|trace_state|links|severity_text|event_name|body)(?![\w(=])"
)


def literal(text: str) -> str:
    """Give a text as OTTL's literal: of ASCII, escaped as Go escapes.

    Args:
        text: any.
    """
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in '\\"':
        return f"\\{char}"
    code = ord(char)
    if 0x20 <= code < 0x7F:  # noqa: PLR2004 - printable ASCII
        return char
    if code < 0x80:  # noqa: PLR2004 - control characters
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - the basic plane


def replacement(placeholder: str, before: Iterable[int], after: Iterable[int]) -> str:
    """Give what takes the place of a match, as Go's regexp expands it: the kept groups around the placeholder.

    Raises:
        ValueError: the placeholder itself would be expanded.
    """
    if "$" in placeholder:
        raise ValueError(f"the placeholder {placeholder} would be read as a group")
    kept = ("".join(f"${{{group}}}" for group in groups) for groups in (before, after))
    return placeholder.join(kept)


def yaml_scalar(statement: str) -> str:
    """Give a statement as a YAML scalar in which the collector expands no variable."""
    return json.dumps(statement.replace("$", "$$"))


def with_context(context: str, statement: str) -> str:
    """Name the context of every path in a statement, as OTTL wants it.

    Args:
        context: of those paths that name none.
        statement: paths of other contexts name theirs.
    """
    return _PIECE.sub(lambda piece: piece[0] if piece[0].startswith('"') else f"{context}.{piece[0]}", statement)


def all_of(conditions: Iterable[str]) -> str:
    """Join conditions that must all hold; those of more than one part are in parentheses already."""
    return " and ".join(conditions)


def any_of(conditions: Iterable[str]) -> str:
    """Join conditions of which one must hold, in parentheses where there is more than one."""
    told = list(conditions)
    return told[0] if len(told) == 1 else f"({' or '.join(told)})"


def where(first: str, statement: str) -> str:
    """Add a condition to a statement, before any other, since what those look at may not be there otherwise.

    Args:
        first: the condition.
        statement: with or without conditions.
    """
    editor, _, rest = statement.partition(" where ")
    return f"{editor} where {first}" + (f" and {rest}" if rest else "")
