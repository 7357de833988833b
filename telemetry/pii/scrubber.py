"""The policy applied to texts and keys; what is not sensitive comes back as the very same object."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeVar

from telemetry.pii.compiled import MAX_HITS, TooManyHitsError, compiled
from telemetry.pii.pseudonym import Pseudonyms
from telemetry.pii.query import WITH_QUERY, hide_values
from telemetry.pii.sql import STATEMENT_KEYS, without_literals

if TYPE_CHECKING:
    from collections.abc import Callable

    from telemetry.pii.compiled import CompiledRule
    from telemetry.pii.model import KeyRule, Policy

T = TypeVar("T")
UNSCRUBBABLE = "[REDACTED:unscrubbable]"
# Longer texts are not scrubbed and therefore not told. Characters.
MAX_TEXT = 262_144
# Texts that were found clean and may well come again: no longer than this, and this many.
_SHORT = 160
_REMEMBERED = 8192
_LONG_STATEMENT = 2048
_PLACEHOLDER = re.compile(r"\[REDACTED:[a-z0-9_]+(?::h[0-9a-f]{16})?\]")
_HEX32, _HEX16 = re.compile("[0-9a-f]{32}"), re.compile("[0-9a-f]{16}")
# An id that has its exact form is copied: in 20,000 of them one may look like a bank account.
_IDS = {
    "trace_id": _HEX32,
    "span_id": _HEX16,
    "parent_span_id": _HEX16,
    "event_id": _HEX32,
    "request_id": re.compile("req_[0-9a-f]{32}"),
}


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of an attribute key.

    Attributes:
        text: the key itself, scrubbed.
        rule: the key rule that hits it.
        id_form: the form in which its value is an id.
        exempt: whether some value rule leaves its values alone.
        rewrite: the rule by which its value is rewritten as a whole: `query`, `sql` or none.
    """

    text: str
    rule: KeyRule | None
    id_form: re.Pattern[str] | None
    exempt: bool
    rewrite: Literal["query", "sql"] | None


class Scrubber:
    """One policy with its pseudonyms and its memory of what is clean; safe to share between threads.

    Args:
        policy: the data.
        pseudonym_key: key of the pseudonyms (bytes); None: plain placeholders.

    Raises:
        PolicyError: a pattern that RE2 does not take.
    """

    def __init__(self, policy: Policy, pseudonym_key: bytes | None = None) -> None:
        self.policy = policy
        self.compiled = compiled(policy)
        self.pseudonym = Pseudonyms(pseudonym_key).of
        self.rule_names = (
            *(rule.rule.name for rule in self.compiled.rules),
            *(rule.name for rule in policy.key_rules),
            "query",
            "sql",
            "validation_input",
            "cut_off",
            "unscrubbable",
        )
        # A service has a few dozen statements, and they come again and again.
        self._statement = lru_cache(maxsize=512)(without_literals)
        self._told_in_queries = {name: re.compile(pattern, re.ASCII) for name, pattern in policy.query_keys or ()}
        self.clean: set[str] = set()
        self.keys: dict[str, Key | None] = {}
        self._exempting = {key for rule in policy.value_rules for key in rule.exempt_keys}
        self._exempted: set[tuple[str, str]] = set()

    def text(self, text: str, key: str = "", hit: Callable[[str], None] | None = None) -> str:
        """Give a text without what the value rules find in it.

        Args:
            text: any; lone surrogates are escaped; a placeholder takes the place of one over `MAX_TEXT` characters
                or with more than `MAX_HITS` hits.
            key: the attribute key it stands under, for the rules that exempt some.
            hit: told the name of each rule that changed the text.
        """
        if text in self.clean or (key in self._exempting and (key, text) in self._exempted):
            return text
        if len(text) > MAX_TEXT:
            return _given_up(hit)
        try:
            before = text.encode()
        except UnicodeEncodeError:
            before = text.encode("utf-8", "backslashreplace")
            text = before.decode()
        pending = self.compiled.hits(before)
        if not pending:
            if len(text) <= _SHORT:
                _remember(self.clean, text)
            return text
        try:
            after = self._applied(pending, before, key, hit)
        except TooManyHitsError:
            return _given_up(hit)
        if after != before:
            return after.decode()
        if key in self._exempting and len(text) <= _SHORT:
            _remember(self._exempted, (key, text))
        return text

    def _applied(self, pending: list[int], text: bytes, key: str, hit: Callable[[str], None] | None) -> bytes:
        hits_left = MAX_HITS
        while pending:
            rule = self.compiled.rules[pending.pop(0)]
            if key in rule.rule.exempt_keys:
                continue
            spans = rule.spans(text, hits_left)
            hits_left -= len(spans)
            changed = rule.replace(text, spans, self._substitute)
            if changed != text:
                if hit is not None:
                    hit(rule.rule.name)
                # A rule may match only because an earlier one left its placeholder there.
                text = changed
                pending = [number for number in self.compiled.hits(text) if number > rule.number]
        return text

    def leaves(self, text: str) -> bool:
        """Say whether a text is left as it is."""
        return self.text(text) == text

    def reference(self, text: str, key: str = "") -> str:
        """Give what `text` must give: every rule, in order."""
        scrubbed, hits_left = text.encode("utf-8", "backslashreplace"), MAX_HITS
        try:
            for rule in self.compiled.rules:
                if key not in rule.rule.exempt_keys:
                    spans = rule.spans(scrubbed, hits_left)
                    hits_left -= len(spans)
                    scrubbed = rule.replace(scrubbed, spans, self._substitute)
        except TooManyHitsError:
            return UNSCRUBBABLE
        return scrubbed.decode()

    def _substitute(self, rule: CompiledRule, match: bytes) -> bytes:
        if rule.rule.action == "pseudonym":
            return self.pseudonym(rule.rule.kind, match.decode()).encode()
        return rule.placeholder

    def key(self, key: str) -> Key | None:
        """Give what is known of a key; None: nothing, its value is judged by its form alone."""
        try:
            return self.keys[key]
        except KeyError:
            pass
        text = self.text(key)
        known = Key(text, self.compiled.key_rule(key), _IDS.get(key), key in self._exempting, self._rewrite_of(key))
        ordinary = text == key and not (known.rule or known.id_form or known.exempt or known.rewrite)
        if len(self.keys) >= _REMEMBERED:
            self.keys.clear()
        if len(key) <= _SHORT:
            self.keys[key] = None if ordinary else known
        return None if ordinary else known

    def _rewrite_of(self, key: str) -> Literal["query", "sql"] | None:
        if key in WITH_QUERY and self.policy.query_keys is not None:
            return "query"
        return "sql" if key in STATEMENT_KEYS else None

    def rewritten(self, key: str, known: Key, value: str) -> str:
        """Give a query without the values that may not be told, or a statement without its literals."""
        if known.rewrite == "query":
            return hide_values(key, value, self._told_in_queries)
        return self._statement(value) if len(value) <= _LONG_STATEMENT else without_literals(value)

    def field(self, rule: KeyRule, value: object) -> str:
        """Give what takes the place of a value that a key rule hits; a placeholder is left as it is."""
        if isinstance(value, str) and _PLACEHOLDER.fullmatch(value):
            return value
        if rule.action == "pseudonym" and isinstance(value, str | int):
            return self.pseudonym(rule.kind, str(value))
        return rule.placeholder


def _given_up(hit: Callable[[str], None] | None) -> str:
    if hit is not None:
        hit("unscrubbable")
    return UNSCRUBBABLE


def _remember(texts: set[T], text: T) -> None:
    if len(texts) >= _REMEMBERED:
        texts.clear()
    texts.add(text)
