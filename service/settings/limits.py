"""`RATE_LIMITS`: the built-in policies, and what the operator changes in them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

from service.settings.json_tables import count, mapping, seconds, table, wrong

_NAME = "RATE_LIMITS"
_EXAMPLE = '{"default": {"limit": 300, "window": 60}}'
LONGEST_WINDOW = 86_400.0
"""Seconds."""


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
        "questions": RateLimitPolicy(limit=30, window=60.0, tokens=40_000, concurrency=4),
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
    for policy, given in table(_NAME, raw, _EXAMPLE).items():
        if policy not in policies:
            raise wrong(_NAME, "", f"expected policies among {', '.join(policies)}", policy)
        changes: dict[str, Any] = {
            field: _value(policy, field, value) for field, value in mapping(_NAME, policy, given).items()
        }
        policies[policy] = replace(policies[policy], **changes)
    return MappingProxyType(policies)


def _value(policy: str, field: str, value: object) -> int | float | None:
    where = f"{policy}.{field}"
    if field not in _FIELDS:
        raise wrong(_NAME, policy, f"expected fields among {', '.join(_FIELDS)}", field)
    if field == "window":
        return seconds(_NAME, where, value, LONGEST_WINDOW)
    if value is None and field in _OPTIONAL:
        return None
    return count(_NAME, where, value)
