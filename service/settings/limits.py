"""`RATE_LIMITS`: the built-in policies, and what the operator changes in them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, TypeGuard

from service.settings.errors import SettingsError

_NAME = "RATE_LIMITS"
_MOST = 1_000_000_000
_LONGEST_WINDOW = 86_400.0


@dataclass(frozen=True, slots=True)
class RateLimitPolicy:
    """How much one caller may do.

    Args:
        limit: Requests in any window.
        window: Length of the window, in seconds.
        tokens: LLM tokens in any window; None is no budget.
        concurrency: Requests at the same time; None is no limit.
    """

    limit: int
    window: float
    tokens: int | None = None
    concurrency: int | None = None


BUILT_IN: Mapping[str, RateLimitPolicy] = MappingProxyType(
    {
        "default": RateLimitPolicy(limit=300, window=60.0),
        "llm": RateLimitPolicy(limit=20, window=60.0, tokens=40_000, concurrency=4),
        "questions": RateLimitPolicy(limit=30, window=60.0),
        "auth": RateLimitPolicy(limit=30, window=60.0),
    }
)
_FIELDS = tuple(field.name for field in fields(RateLimitPolicy))
_OPTIONAL = frozenset({"tokens", "concurrency"})


def rate_limits(raw: str | None) -> Mapping[str, RateLimitPolicy]:
    """Lay the given policies over the built-in ones, field by field.

    Raises:
        SettingsError: Not JSON, a key given twice, an unknown policy or field, or a value out of range.
    """
    policies = dict(BUILT_IN)
    for policy, given in _mapping(_parsed(raw) if raw else {}, "").items():
        if policy not in policies:
            raise _wrong("", f"expected policies among {', '.join(policies)}", policy)
        changes: dict[str, Any] = {
            field: _value(policy, field, value) for field, value in _mapping(given, policy).items()
        }
        policies[policy] = replace(policies[policy], **changes)
    return MappingProxyType(policies)


def _parsed(raw: str) -> object:
    try:
        parsed: object = json.loads(raw, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        parsed = None
    if parsed is None:
        raise SettingsError(_NAME, 'expected JSON such as {"default": {"limit": 300, "window": 60}}', raw)
    return parsed


def _unique(members: list[tuple[str, object]]) -> dict[str, object]:
    for i, (key, _) in enumerate(members):
        if any(key == other for other, _ in members[:i]):
            raise _wrong("", "expected every key once", key)
    return dict(members)


def _mapping(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _wrong(where, "expected a JSON object", value)
    return value


def _value(policy: str, field: str, value: object) -> int | float | None:
    where = f"{policy}.{field}"
    if field not in _FIELDS:
        raise _wrong(policy, f"expected fields among {', '.join(_FIELDS)}", field)
    if field == "window":
        if _is_number(value) and math.isfinite(value) and 0 < value <= _LONGEST_WINDOW:
            return float(value)
        raise _wrong(where, f"expected seconds, above 0 and at most {_LONGEST_WINDOW:g}", value)
    if value is None and field in _OPTIONAL:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST:
        return value
    raise _wrong(where, f"expected a whole number from 1 to {_MOST}", value)


def _is_number(value: object) -> TypeGuard[int | float]:
    # bool is an int to Python, not to whoever wrote the JSON; and a huge int overflows isfinite().
    if isinstance(value, bool):
        return False
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= _MOST)


def _wrong(where: str, expected: str, value: object) -> SettingsError:
    name = f"{_NAME} {where}" if where else _NAME
    return SettingsError(name, expected, value if isinstance(value, str) else repr(value))
