"""Any value in the form that OpenTelemetry takes: whatever somebody logs, its keys stay keys and it has an end."""

from __future__ import annotations

from typing import Any

from telemetry.exceptions import MAX_TEXT_CHARS
from telemetry.pii import UNSCRUBBABLE
from telemetry.pii.members import members
from telemetry.quotations import said
from telemetry.rendering import as_text, shown

# What goes deeper, or has more parts, is a cycle or a data set: its keys could not be looked at.
_MAX_DEPTH = 16
_MAX_PARTS = 10_000
_AS_IT_IS = frozenset({float, bool, type(None)})
_SEQUENCES = (list, tuple, set, frozenset)
_BYTES = (bytes, bytearray, memoryview)
_INT64 = 1 << 63


def any_value(value: Any) -> Any:  # noqa: ANN401 - any value that was given
    """Give a value as text, number, mapping or list of such (`AnyValue` of the OpenTelemetry protocol).

    Args:
        value: of any type, also one whose `__repr__` raises. Texts are cut at `MAX_TEXT_CHARS`.
    """
    kind = type(value)
    if kind is str and len(value) <= MAX_TEXT_CHARS and value.isascii():
        return value
    if kind in _AS_IT_IS or (kind is int and -_INT64 <= value < _INT64):
        return value
    return _Walk().value(value, 0)


class _Walk:
    def __init__(self) -> None:
        self._parts = _MAX_PARTS

    def value(self, value: Any, depth: int) -> Any:  # noqa: ANN401, PLR0911 - a case a type
        if isinstance(value, str):
            return as_text(str.__str__(value)[:MAX_TEXT_CHARS])
        if type(value) in _AS_IT_IS or (type(value) is int and -_INT64 <= value < _INT64):
            return value
        if isinstance(value, _BYTES):
            return self._text(bytes(value))
        if isinstance(value, BaseException):
            return said(value)[:MAX_TEXT_CHARS]
        named = members(value)
        if named is None and not isinstance(value, _SEQUENCES):
            return shown(value)[:MAX_TEXT_CHARS]
        self._parts -= len(value if named is None else named)
        if depth >= _MAX_DEPTH or self._parts < 0:
            return UNSCRUBBABLE
        if named is not None:
            return {self._name(key): self.value(inner, depth + 1) for key, inner in named.items()}
        return [self.value(inner, depth + 1) for inner in value]

    @staticmethod
    def _text(value: bytes) -> str:
        # Escaped as `repr` does it, a text would have no form any more.
        try:
            return value.decode()[:MAX_TEXT_CHARS]
        except UnicodeDecodeError:
            return UNSCRUBBABLE

    @staticmethod
    def _name(key: Any) -> str:  # noqa: ANN401 - any key
        if isinstance(key, bytes):
            return key.decode("utf-8", "backslashreplace")
        return as_text(str.__str__(key)) if isinstance(key, str) else shown(key)
