"""Proves a policy on its own examples, before anything obeys it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import re2

from telemetry.pii.model import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telemetry.pii.compiled import CompiledRule
    from telemetry.pii.model import KeyRule
    from telemetry.pii.scrubber import Scrubber

# Sixteen hex digits may look like many things.
_PSEUDONYMS = ("0123456789abcdef", "4111111111111111", "deadbeefdeadbeef", "e1f0a2b3c4d5e6f7", "0049301234567890")
_AROUND = " \n\t\"'=:;,.()[]{}<>&?/\\@#%+-_*|!~$^`aZ07é"
_KINDS_OF_OURS = ("field", "unscrubbable")
# What a span, a log line or a report cannot do without, besides the resource.
_OWN_KEYS = (
    "timestamp", "level", "event", "logger", "exception", "trace_id", "span_id", "parent_span_id", "event_id",
    "request_id", "method", "route", "status", "duration_ms", "bytes", "pii.policy.digest", "pii.rules",
    "pii.redactions", "http.route", "http.request.method", "url.path", "db.query.text", "db.collection.name",
    "server.address", "thread.name", "code.function.name", "gen_ai.request.model", "gen_ai.usage.input_tokens",
)  # fmt: skip


def validate(scrubber: Scrubber) -> None:
    """Refuse a policy whose rules do not do what their examples say.

    Every example is changed by its own rule and no innocent one is, what is said to be necessary is in every match,
    scrubbing twice equals scrubbing once, no rule changes a placeholder, no key rule takes a name that telemetry needs.

    Args:
        scrubber: the policy, compiled.

    Raises:
        PolicyError: one line with file, rule, position and reason.
    """
    _check_names(scrubber)
    for number, key_rule in enumerate(scrubber.policy.key_rules):
        _check_key_rule(scrubber, number, key_rule)
    _check_own_keys(scrubber)
    for rule in scrubber.compiled.rules:
        _check_value_rule(rule)
    _check_placeholders(scrubber)
    _check_twice(scrubber)


def _check_names(scrubber: Scrubber) -> None:
    seen: dict[str, str] = {}
    for rule in scrubber.compiled.data:
        if rule.name in seen:
            raise PolicyError(f"{rule.origin}: another rule has this name: {seen[rule.name]}")
        seen[rule.name] = rule.origin


def _check_value_rule(rule: CompiledRule) -> None:
    origin, literals = rule.rule.origin, [literal.encode() for literal in rule.rule.literals]
    for position, example in enumerate(rule.rule.examples, 1):
        text = example.encode()
        if _replaced(rule, text) == text:
            raise PolicyError(f"{origin}: examples {position} ({example!r}): it is not changed")
        necessary = [(pattern, text) for pattern in rule.rule.necessary]
        necessary += [(pattern, text.lower()) for pattern in rule.rule.necessary_folded]
        if necessary and not any(re2.search(pattern, looked_at) for pattern, looked_at in necessary):
            raise PolicyError(f"{origin}: examples {position} ({example!r}): it is hit without what is necessary")
        for match in rule.pattern.finditer(text):
            if literals and not any(literal in match.group() for literal in literals):
                raise PolicyError(
                    f"{origin}: examples {position} ({example!r}): it matches without any of the literals"
                )
    for position, innocent in enumerate(rule.rule.innocent, 1):
        text = innocent.encode()
        if (changed := _replaced(rule, text)) != text:
            raise PolicyError(f"{origin}: innocent {position} ({innocent!r}): it becomes {changed.decode()!r}")


def _check_key_rule(scrubber: Scrubber, number: int, rule: KeyRule) -> None:
    for position, example in enumerate(rule.examples, 1):
        decides = scrubber.compiled.key_rule(example)
        if decides is None:
            raise PolicyError(f"{rule.origin}: examples {position} ({example!r}): it is not hit")
        if decides.name != rule.name:
            reason = f"the earlier rule {decides.name!r} hits it first"
            raise PolicyError(f"{rule.origin}: examples {position} ({example!r}): {reason}")
    for position, innocent in enumerate(rule.innocent, 1):
        if scrubber.compiled.key_hits(number, innocent):
            raise PolicyError(f"{rule.origin}: innocent {position} ({innocent!r}): it is hit")


def _check_own_keys(scrubber: Scrubber) -> None:
    for key in (*_OWN_KEYS, *sorted(scrubber.policy.resource_keys)):
        rule = scrubber.compiled.key_rule(key)
        if rule is not None:
            raise PolicyError(f"{rule.origin}: it hits {key!r}, which telemetry needs")


def _check_placeholders(scrubber: Scrubber) -> None:
    texts = list(_placeholders(scrubber))
    # One look at all of them is the usual case.
    suspects = scrubber.compiled.hits("\n\n".join(texts).encode())
    for rule in (scrubber.compiled.rules[number] for number in suspects):
        for text in texts:
            if (changed := _replaced(rule, text.encode()).decode()) != text:
                raise PolicyError(f"{rule.rule.origin}: it changes the placeholder {text!r} to {changed!r}")


def _placeholders(scrubber: Scrubber) -> Iterator[str]:
    rules = scrubber.compiled.data
    written = {f"[REDACTED:{kind}]" for kind in (*_KINDS_OF_OURS, *(rule.kind for rule in rules))}
    written |= {
        f"[REDACTED:{rule.kind}:h{digits}]" for rule in rules if rule.action == "pseudonym" for digits in _PSEUDONYMS
    }
    for placeholder in sorted(written):
        yield placeholder
        for char in _AROUND:
            yield char + placeholder
            yield placeholder + char


def _check_twice(scrubber: Scrubber) -> None:
    for rule in scrubber.compiled.rules:
        for position, example in enumerate(rule.rule.examples, 1):
            once = scrubber.text(example)
            if (twice := scrubber.text(once)) != once:
                where = f"{rule.rule.origin}: examples {position} ({example!r})"
                raise PolicyError(f"{where}: scrubbed it is {once!r}, scrubbed again {twice!r}")


def _replaced(rule: CompiledRule, text: bytes) -> bytes:
    return rule.replace(text, rule.spans(text), lambda rule, _: rule.placeholder)
