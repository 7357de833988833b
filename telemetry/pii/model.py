"""The policy as data: what is sensitive, before anything is compiled."""

from dataclasses import dataclass
from typing import Literal

Action = Literal["redact", "pseudonym", "drop"]
Place = Literal["last_words", "owned", "whole", "below"]


class PolicyError(Exception):
    """The policy cannot be used. One line: file, rule, position, reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What both sorts of rules say of themselves.

    Attributes:
        name: unique; what metrics, spans and `explain` call it.
        kind: names the placeholder: what is found, or `field` for what goes by its key.
        reason: why that is sensitive, for `explain`.
        action: `redact`, `pseudonym` where a key is set, or, of keys, `drop` for what must not even be seen to exist.
        examples: what it must hit.
        innocent: what it must leave alone.
        origin: where it was read: file and line.
    """

    name: str
    kind: str
    reason: str
    action: Action = "redact"
    examples: tuple[str, ...] = ()
    innocent: tuple[str, ...] = ()
    origin: str = ""

    @property
    def placeholder(self) -> str:
        """What takes the place of what it hits."""
        return f"[REDACTED:{self.kind}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRule(Rule):
    """Finds something sensitive inside a text, by its form.

    Attributes:
        pattern: the whole regular expression.
        kept_before: groups that stay before the placeholder.
        kept_after: groups that stay behind it.
        literals: one of these is in whatever the pattern matches; empty: nothing is known.
        necessary: cheap patterns of which one is found in whatever the pattern matches; empty: nothing is known.
        necessary_folded: more of them, each found in the text in lower case.
        exempt_keys: attribute keys whose values this rule leaves alone.
    """

    pattern: str
    kept_before: tuple[int, ...] = ()
    kept_after: tuple[int, ...] = ()
    literals: tuple[str, ...] = ()
    necessary: tuple[str, ...] = ()
    necessary_folded: tuple[str, ...] = ()
    exempt_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRule(Rule):
    """Finds something sensitive by the name it is stored under, whatever the value.

    Attributes:
        place: where the words stand in a key: as its last words, after an owner word or alone, whole, or whole
            and with anything below them.
        words: each one word or several with spaces; for `whole` and `below`, exact keys.
        owners: for `owned`: the words that may stand before.
    """

    place: Place
    words: tuple[str, ...]
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is sensitive, and what of the process may be told.

    Attributes:
        value_rules: in the order in which they are applied.
        key_rules: the first one that hits decides.
        resource_keys: resource attributes that may leave; the rest stay out.
        query_keys: parameters of a query whose values may be told, each with the pattern of its whole value; the rest
            stay out. None: queries are texts.
        digest: SHA-256 of the files it was read from, in lower-case hex.
    """

    value_rules: tuple[ValueRule, ...]
    key_rules: tuple[KeyRule, ...]
    resource_keys: frozenset[str]
    query_keys: tuple[tuple[str, str], ...] | None = None
    digest: str
