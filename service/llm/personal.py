"""What is personal or secret in a text by the value rules of the privacy policy, and of which kinds here."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from service.llm.masking import Masking, Span
from service.llm.reading import Reading
from service.llm.untrusted import untrusted
from service.llm.visible import visible
from service.llm.words import SIGN, in_words
from telemetry.pii import Policy, Scrubber
from telemetry.pii.compiled import CompiledRule, compiled
from telemetry.pii.scrubber import UNSCRUBBABLE

KINDS = frozenset(
    {
        "api_key", "credential", "credit_card", "email", "iban", "jwt", "password", "phone", "private_key", "secret",
        "us_ssn",
    }
)  # fmt: skip
"""Kinds of the policy's value rules that are neither said by a model nor told to one."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value in a text.

    Attributes:
        start: where it begins (characters).
        end: where it ends.
        value: what stands there.
        rule: what found it.
    """

    start: int
    end: int
    value: str
    rule: CompiledRule


class Personal:
    """The policy's value rules of `KINDS`, compiled; safe to share.

    Args:
        policy: the privacy policy.
        replaced: told the kind of each value that an answer held and that was replaced.
    """

    def __init__(self, policy: Policy, replaced: Callable[[str], None]) -> None:
        self.replaced = replaced
        rules = tuple(rule for rule in policy.value_rules if rule.kind in KINDS)
        ours = replace(policy, value_rules=rules, key_rules=(), query_keys=None)
        self._scrubber = Scrubber(ours)
        self._compiled = self._scrubber.compiled
        self._of_words = compiled(replace(ours, value_rules=tuple(rule for rule in rules if in_words(rule.pattern))))
        self.rules = self._compiled.rules

    def occurs(self, text: str) -> bool:
        """Say whether any rule matches somewhere: cheap, microseconds, since this is asked of every word."""
        rules = self._of_words if SIGN.search(text) is None else self._compiled
        return bool(rules.hits(text.encode()))

    def find(self, text: str) -> list[Found]:
        """Give all values in a text, in order; the rules are applied one after the other, as the policy says."""
        data, found = text.encode(), []
        pending = self._compiled.hits(data)
        while pending:
            rule = self.rules[pending.pop(0)]
            spans = rule.spans(data, len(data))
            if spans:
                found += [(start, end, rule) for start, end in spans]
                data = rule.replace(data, spans, _masked)
                pending = [number for number in self._compiled.hits(data) if number > rule.number]
        whole = text.encode()
        return [_in_characters(whole, *each) for each in sorted(found, key=lambda each: each[:2])]

    def without_contacts(self, text: str) -> str:
        """Give a text with placeholders for what is personal: what a provider may read of a CV.

        Args:
            text: any; values are looked for as they are written and as they read, and what cannot be seen goes too. A
                placeholder takes the place of a whole text that cannot be scrubbed (over 262,144 characters, over
                1,000 values).
        """
        seen = visible(text)
        read, reading = Reading.of(seen)
        if read == seen:
            return self._scrubber.text(seen)
        if UNSCRUBBABLE in (self._scrubber.text(seen), self._scrubber.text(read)):
            return UNSCRUBBABLE
        spans = [Span(value.start, value.end, value.rule) for value in self.find(seen)]
        spans += [
            Span(reading.start(value.start), reading.end(value.end), value.rule, read=True) for value in self.find(read)
        ]
        return Masking(lambda _: None).add(seen, len(seen), spans)

    def material(self, kind: str, text: str) -> str:
        """Give a text that others wrote as a model is given it: marked, and `without_contacts`.

        Args:
            kind: what it is; lower-case letters and hyphens.
            text: whatever it says.
        """
        return untrusted(kind, self.without_contacts(text))


def _masked(_rule: CompiledRule, match: bytes) -> bytes:
    # As a placeholder begins and ends, which the later rules respect, and as long as the value, so that places stay.
    return b"[R" + b"E" * (len(match) - 3) + b"]"


def _in_characters(text: bytes, start: int, end: int, rule: CompiledRule) -> Found:
    value = text[start:end].decode()
    before = len(text[:start].decode())
    return Found(before, before + len(value), value, rule)
