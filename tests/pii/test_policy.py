"""The project's own policy: its rules under every engine, and at the ends of words."""

import pytest

from telemetry.pii import Scrubber, read_policy
from telemetry.pii.keyed_texts import text_rules
from telemetry.pii.model import ValueRule
from tests.pii.engines import by_go, by_python, by_re2

POLICY = read_policy()
RULES = (
    *POLICY.value_rules,
    *text_rules(POLICY.key_rules, "generated"),
)
TEXTS = [text for rule in RULES for text in (*rule.examples, *rule.innocent)]
GLUED = [first + second for first, second in zip(TEXTS, TEXTS[7:] + TEXTS[:7], strict=True)]


def test_policy_is_valid(scrubber: Scrubber) -> None:
    """The policy keeps what its examples promise."""
    assert len(scrubber.policy.value_rules) >= 20


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_python_and_re2_agree(rule: ValueRule) -> None:
    """Each rule gives under Python's engine what it gives under RE2, on every rule's examples, glued ones too."""
    assert by_python(rule, TEXTS + GLUED) == by_re2(rule, TEXTS + GLUED)


def test_go_and_re2_agree() -> None:
    """Each rule compiles in Go and gives there what it gives under RE2, so that the collector can obey it."""
    texts = TEXTS + GLUED
    for rule, replaced in zip(RULES, by_go(list(RULES), [texts] * len(RULES)), strict=True):
        assert (rule.name, replaced) == (rule.name, by_re2(rule, texts))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_ends_with_the_word(scrubber: Scrubber, rule: ValueRule) -> None:
    """No rule stops in the middle of an alphanumeric run."""
    compiled = next(each for each in scrubber.compiled.rules if each.rule.name == rule.name)
    torn = []
    for example in rule.examples:
        for text in (example, example + "7", example + "77777", example + "Z", example + "zq7Zq7zq7"):
            encoded = text.encode()
            for start, end in compiled.spans(encoded):
                inside = encoded[end - 1 : end + 1]
                escape = encoded[end - 3 : end - 2] == b"%"
                if len(inside) == 2 and inside.isalnum() and not escape:
                    torn.append((text, encoded[start:end]))
    assert torn == []
