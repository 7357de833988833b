"""The policy compiled: RE2 patterns, a set that tells which of them can hit, and the pattern of the keys."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import re2

from telemetry.pii.keyed_texts import text_rules
from telemetry.pii.keys import key_pattern
from telemetry.pii.model import PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from telemetry.pii.model import KeyRule, Policy, Rule, ValueRule

# The automaton of all rules is built as texts come by; when it has no room left it starts anew.
_SET_BYTES = 16 << 20
# Of all rules together the automaton has too many states for its room, and starts anew all the time: over 15,840
# different texts with every kind of hit one set of 36 rules cost 520 us a text, four of nine cost 10 (measured).
_MOST_IN_SET = 10
_ALWAYS = 0
_RULE_BYTES = 16 << 20
# Hits cost microseconds each: a text with more of them, of all rules together, is an attack or a data set. A count, not
# time: the same input gives the same output.
MAX_HITS = 1000


class TooManyHitsError(Exception):
    """There are more hits in one text than `MAX_HITS`."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A value rule with its pattern.

    Attributes:
        rule: the data.
        number: its place in the order.
        pattern: RE2's, of UTF-8.
        placeholder: UTF-8.
    """

    rule: ValueRule
    number: int
    pattern: re2._Regexp
    placeholder: bytes

    def spans(self, text: bytes, limit: int = MAX_HITS) -> list[tuple[int, int]]:
        """Give start and end of everything that is sensitive in a text, without what is kept around it.

        Args:
            text: UTF-8.
            limit: the most that there may be.

        Raises:
            TooManyHitsError: there are more.
        """
        spans: list[tuple[int, int]] = []
        before, after = self.rule.kept_before, self.rule.kept_after
        for match in self.pattern.finditer(text):
            if len(spans) >= limit:
                raise TooManyHitsError
            start, end = match.span()
            # Of the groups of alternatives only one took part; the others end at -1.
            for group in before:
                start = max(start, match.end(group))
            for group in after:
                end = match.start(group)
            spans.append((start, end))
        return spans

    def replace(
        self, text: bytes, spans: list[tuple[int, int]], substitute: Callable[[CompiledRule, bytes], bytes]
    ) -> bytes:
        """Give the text with something else in some places.

        Args:
            text: UTF-8.
            spans: the places.
            substitute: gives what takes the place of a match.
        """
        pieces, done = [], 0
        for start, end in spans:
            pieces.append(text[done:start])
            pieces.append(substitute(self, text[start:end]))
            done = end
        if not pieces:
            return text
        pieces.append(text[done:])
        return b"".join(pieces)


@lru_cache(maxsize=4)
def compiled(policy: Policy) -> Compiled:
    """Compile a policy; the scrubbers of one process share what is compiled of the same one."""
    return Compiled(policy)


class Compiled:
    """A policy, ready to be applied.

    Args:
        policy: the data.

    Attributes:
        rules: every value rule in order; those that the key rules generate are the last.
        data: every rule of either sort, the generated ones too.

    Raises:
        PolicyError: a pattern that RE2 does not take.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        generated = text_rules(policy.key_rules, "generated from the key rules") if policy.key_rules else ()
        self.rules = tuple(
            CompiledRule(rule, number, _compile(rule.origin, rule.pattern), rule.placeholder.encode())
            for number, rule in enumerate((*policy.value_rules, *generated))
        )
        self.data: tuple[Rule, ...] = (*policy.value_rules, *generated, *policy.key_rules)
        sets = -(-len(self.rules) // _MOST_IN_SET) or 1
        size = -(-len(self.rules) // sets) or 1
        self._sets = tuple((first, _set(self.rules[first : first + size])) for first in range(0, len(self.rules), size))
        self._keys = tuple((rule, _compile(rule.origin, key_pattern([rule]))) for rule in policy.key_rules)

    def hits(self, text: bytes) -> list[int]:
        """Give the numbers of the rules that match somewhere in a text (UTF-8), in order.

        Raises:
            MemoryError: the automaton found no room; without this, that would look like a clean text.
        """
        found = []
        for first, rules in self._sets:
            hits = rules.Match(text)
            if not hits or _ALWAYS not in hits:
                raise MemoryError("no room for the automaton of the rules")
            if len(hits) > 1:
                found += sorted(first + hit - 1 for hit in hits if hit != _ALWAYS)
        return found

    def key_hits(self, number: int, key: str) -> bool:
        """Tell whether the key rule of that number hits a whole attribute key."""
        return self._keys[number][1].search(key.encode("utf-8", "replace")) is not None

    def key_rule(self, key: str) -> KeyRule | None:
        """Give the first key rule that hits a whole attribute key."""
        text = key.encode("utf-8", "replace")
        return next((rule for rule, pattern in self._keys if pattern.search(text) is not None), None)


def _set(rules: Sequence[CompiledRule]) -> re2.Set:
    rule_set = re2.Set.SearchSet(_options(_SET_BYTES))
    # Matches always, and as number 0: an automaton without room gives nothing at all.
    rule_set.Add("")
    for rule in rules:
        rule_set.Add(rule.rule.pattern)
    rule_set.Compile()
    return rule_set


def _compile(origin: str, pattern: str) -> re2._Regexp:
    try:
        return re2.compile(pattern, _options(_RULE_BYTES))
    except re2.error as error:
        raise PolicyError(f"{origin}: RE2 refuses the pattern: {error}") from error


def _options(max_bytes: int) -> re2.Options:
    options = re2.Options()
    options.max_mem = max_bytes
    options.log_errors = False
    return options
