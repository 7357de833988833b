"""Renders events as JSON lines, whatever they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS


def dumps(event: Mapping[str, Any]) -> bytes:
    """Give an event as one line of JSON; what JSON cannot hold is shown by its `repr`.

    Args:
        event: names and values, of any type.
    """
    try:
        return orjson.dumps(event, default=shown, option=_OPTIONS)
    except (TypeError, ValueError):  # lone surrogates, integers beyond 64 bits, cycles
        plain = {as_text(str(key)): _plain(value) for key, value in event.items()}
        return orjson.dumps(plain, option=_OPTIONS)


def shown(value: object) -> str:
    """Give a value's `repr`, or a placeholder where that raises."""
    try:
        return as_text(repr(value))
    except Exception:  # noqa: BLE001 - a foreign __repr__ may raise anything
        return f"<unprintable {type(value).__name__}>"


def as_text(text: str) -> str:
    """Give text without lone surrogates, which UTF-8 cannot hold."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | float):
        return value
    return as_text(value) if isinstance(value, str) else shown(value)
