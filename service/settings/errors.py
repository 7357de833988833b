"""The one error of the settings."""

from dataclasses import replace
from functools import cache

from telemetry.pii import Scrubber, read_policy

_SHOWN = 80
# What is nobody's value but a secret's, wherever it was put.
_SECRETS = frozenset({"private_key", "jwt", "api_key"})


class SettingsError(Exception):
    """A setting cannot be used. Its text is a single line, fit to be shown to the operator.

    Args:
        name: The setting, as the environment spells it.
        expected: What would have been accepted, or what to do. Never made from a secret's value.
        value: The offending value, shown escaped, cut, and without keys that were put into the wrong setting; None
            for secrets.
    """

    def __init__(self, name: str, expected: str, value: str | None = None) -> None:
        self.name = name
        line = f"{_one_line(name)}: {expected}"
        if value is not None:
            shown = _secrets().text(value)
            shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."
            line = f"{line}; got {shown!a}"
        super().__init__(line)


@cache
def _secrets() -> Scrubber:
    policy = read_policy()
    rules = tuple(rule for rule in policy.value_rules if rule.kind in _SECRETS)
    return Scrubber(replace(policy, value_rules=rules, key_rules=(), query_keys=None))


def _one_line(text: str) -> str:
    """Escape what would break the line or the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
