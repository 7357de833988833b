"""The shorter patterns find in texts without certain signs what the whole ones do."""

import re

import pytest
import re2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.collector.plain import SIGNS, plain
from telemetry.pii import load

RULES = [rule.rule for rule in load().compiled.rules]
SHORTER = [(rule, shorter) for rule in RULES if (shorter := plain(rule.pattern)) is not None]


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("(abc|%61%62%63)d", "((?:abc))d"),
        (r"(?:a|%61|\\x61)+[b\\]{2,3}c?(?:%20)*d{2,}", "(?:(?:a))+[b]{2,3}c?d{2,}"),
        (r"(?i:ab|%62)[^%.]\bx{4}(?:\\n|\\t|-)", r"(?i:(?:ab))[^%\.]\bx{4}(?:\-)"),
        (r"(^|%20|%2B|%2C)[a-c\]]", r"((?:^))[a-c\]]"),
    ],
)
def test_alternatives_with_the_signs_go(pattern, told):
    """What cannot match without the signs is left out, and nothing else."""
    assert plain(pattern) == told


@pytest.mark.parametrize("pattern", ["a%", "[%]a", "(a)|(%)b", "(?:%20)+", "abc", "[^%]"])
def test_no_second_pattern_without_a_gain(pattern):
    """Where nothing would be left, a group would be missing or hardly anything is left out there is one pattern."""
    assert plain(pattern) is None


def test_most_expensive_rules_have_a_shorter_pattern():
    """The rules that are hit most are among those that gain."""
    assert {"email", "credit_card", "credential", "api_key", "ipv4", "ipv6"} <= {rule.name for rule, _ in SHORTER}


@pytest.mark.parametrize(("rule", "shorter"), SHORTER, ids=[rule.name for rule, _ in SHORTER])
def test_both_patterns_replace_the_same(rule, shorter):
    """In examples of every rule, and in texts made of the pattern, both find the same groups in the same places."""
    whole, short = re2.compile(rule.pattern), re2.compile(shorter)

    def found(pattern, text):
        groups = range(pattern.groups + 1)
        return [[match.span(group) for group in groups] for match in pattern.finditer(text)]

    def judge(text):
        if not any(sign in text for sign in SIGNS):
            assert found(whole, text) == found(short, text), text

    for other in RULES:
        for example in (*other.examples, *other.innocent):
            judge(example)

    @settings(max_examples=40, database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.from_regex(re.compile(shorter, re.ASCII)))
    def fuzz(text):
        judge(re.sub(r"[%\\\x1b\ud800-\udfff]", "", text))

    fuzz()
