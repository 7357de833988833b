"""What a value is made of: the names under which it keeps its parts are keys, whatever `repr` would make of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


def members(value: Any) -> dict[Any, Any] | None:  # noqa: ANN401 - any value
    """Give the parts of a mapping, dataclass, named tuple, pydantic model or attrs object; None: it has no names.

    A plain dictionary, made once: what others call a mapping may give other keys at each walk, or hold more than it
    lists.

    Args:
        value: any; whatever it raises is raised.
    """
    if type(value) is dict:
        return value
    if isinstance(value, Mapping):
        return dict(value.items())
    if isinstance(value, type):
        return None
    names = _names(value)
    return None if names is None else {name: getattr(value, name, None) for name in names}


def _names(value: Any) -> list[str] | None:  # noqa: ANN401 - any value
    if dataclasses.is_dataclass(value):
        # Private fields are not shown by what renders dataclasses either.
        return [field.name for field in dataclasses.fields(value) if not field.name.startswith("_")]
    kind = type(value)
    for attribute in ("_fields" if issubclass(kind, tuple) else "model_fields", "__attrs_attrs__"):
        fields = getattr(kind, attribute, None)
        if isinstance(fields, Mapping):
            return list(fields)
        if isinstance(fields, tuple):
            return [str(getattr(field, "name", field)) for field in fields]
    return None
