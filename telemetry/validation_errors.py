"""Validation errors without what was validated: pydantic's and FastAPI's texts quote the whole input."""

from __future__ import annotations

from collections import Counter

_LIBRARIES = frozenset({"pydantic", "pydantic_core", "fastapi"})


def reduced(exception: BaseException) -> str | None:
    """Give how many errors of which types a validation error holds; None: it is another error.

    Args:
        exception: any.
    """
    if type(exception).__module__.partition(".")[0] not in _LIBRARIES:
        return None
    errors = getattr(exception, "errors", None)
    if not callable(errors):
        return None
    try:
        types = Counter(str(error.get("type")) for error in errors())
    except Exception:  # noqa: BLE001 - a foreign exception that only looks like one
        return "no type"
    return ", ".join(f"{kind} ({count})" for kind, count in sorted(types.items()))
