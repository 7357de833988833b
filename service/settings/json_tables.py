"""Settings that are JSON objects of objects, read so that nothing in them goes unnoticed."""

import json
import math
from typing import TypeGuard

from service.settings.errors import SettingsError

MOST = 1_000_000_000


def wrong(name: str, where: str, expected: str, value: object) -> SettingsError:
    """Give the error for one place in a table."""
    place = f"{name} {where}" if where else name
    return SettingsError(place, expected, value if isinstance(value, str) else repr(value))


def table(name: str, raw: str | None, example: str) -> dict[str, object]:
    """Read a JSON object; none is an empty one.

    Args:
        name: the setting's.
        raw: its text.
        example: what was expected.

    Raises:
        SettingsError: not JSON, no object, or a key given twice.
    """
    if not raw:
        return {}
    try:
        parsed: object = json.loads(raw, object_pairs_hook=lambda members: _unique(name, members))
    except (ValueError, RecursionError):
        parsed = None
    if parsed is None:
        raise SettingsError(name, f"expected JSON such as {example}", raw)
    return mapping(name, "", parsed)


def _unique(name: str, members: list[tuple[str, object]]) -> dict[str, object]:
    for i, (key, _) in enumerate(members):
        if any(key == other for other, _ in members[:i]):
            raise wrong(name, "", "expected every key once", key)
    return dict(members)


def mapping(name: str, where: str, value: object) -> dict[str, object]:
    """Take an object."""
    if not isinstance(value, dict):
        raise wrong(name, where, "expected a JSON object", value)
    return value


def is_number(value: object) -> TypeGuard[int | float]:
    """Say whether it is a number."""
    # bool is an int to Python, not to whoever wrote the JSON; and a huge int overflows isfinite().
    if isinstance(value, bool):
        return False
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= MOST)


def seconds(name: str, where: str, value: object, longest: float) -> float:
    """Take a length of time above 0 and at most `longest`."""
    if is_number(value) and math.isfinite(value) and 0 < value <= longest:
        return float(value)
    raise wrong(name, where, f"expected seconds, above 0 and at most {longest:g}", value)


def count(name: str, where: str, value: object) -> int:
    """Take a whole number from 1."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST:
        return value
    raise wrong(name, where, f"expected a whole number from 1 to {MOST}", value)
