"""The text that numbers are looked for in finds what the whole text does."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.collector.clauses import WORDLESS, AnyOf, Match
from telemetry.collector.gates import rule_gate
from telemetry.collector.wordless import ENDS, WORDS, is_wordless, wordless_beginning
from telemetry.pii import load


def without_words(text):
    """Returns what the collector would make of a text."""
    return re.sub(WORDS, r"\1\2", text)


def asked():
    """Gives every pattern that is looked for in the text without words."""
    for rule in load().compiled.rules:
        for clauses in rule_gate(rule.rule, set()).alternatives:
            for clause in clauses:
                inner = clause.alternatives if isinstance(clause, AnyOf) else [[clause]]
                yield from (
                    each.pattern
                    for matches in inner
                    for each in matches
                    if isinstance(each, Match) and each.text == WORDLESS
                )


PATTERNS = sorted(set(asked()))
# What stands around numbers, and what they are made of.
PIECES = st.sampled_from(
    [*"0123456789", *" +-./()_:%,x\n\r\\", "12", "345", "6789", "%20", "%2D", "%2B", "%AB", "%FE", "DE89", "line", "ab",
     "File routes", "call me at", "ext", "Ea", "e", "q", "Linux x", "\u2013", "\u00a0"]
)  # fmt: skip


def test_most_of_a_text_is_words():
    """Of a path and a sentence only the ends are left, and what is between the digits stays."""
    assert ENDS == "${1}${2}"
    assert without_words('File "/srv/app/jobs.py", line 40, in find\n  call(query), 4111-1111 x12') == (
        "Fiine 40, inery), 4111-1111 x12"
    )
    assert without_words("1%AB%CD%EF2 3 abc 4") == "1%AB%CD%EF2 3 abc 4"


@settings(max_examples=400, database=None, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_numbers_are_found_wherever_they_were(text):
    """What a gate looks for in the text without words is there if it is in the whole."""
    for pattern in PATTERNS:
        if re.search(pattern, text, re.ASCII):
            assert re.search(pattern, without_words(text), re.ASCII), (pattern, text)


@pytest.mark.parametrize(
    "pattern", ["[0-9]{3}-[0-9]{2}", "[0-9](?:%[0-9A-Fa-f]{2}[0-9]){3}", r"\b[0-9]{4}(?:\b|[xeE])", r"\([0-9]{1,6}%29"]
)
def test_digits_and_what_is_between_them_stay(pattern):
    """A pattern without letters but behind a percent sign, or at its end, may be looked for there."""
    assert is_wordless(pattern)


@pytest.mark.parametrize(
    "pattern", ["[0-9]{3}[a-z]{8}[0-9]{3}", "x[0-9]{4}", "[0-9]{4}[^0-9]{9}[0-9]", "-+", "[0-9]{4}ext"]
)
def test_words_within_are_looked_for_in_the_whole(pattern):
    """A pattern with letters within or before, or without digits, would be missed there."""
    assert not is_wordless(pattern)


def test_what_begins_with_letters_and_digits():
    """Of a long pattern with words the beginning may be looked for there, if it is that of a bank account number."""
    assert wordless_beginning(r"\b(?:(?:[A-Za-z]{2}[0-9]{2}[A-Z]{9}))") == r"\b[A-Za-z]{2}[0-9]{2}"
    assert wordless_beginning("_[A-Za-z]{2}[0-9]{2}[A-Z]{9}") == "_[A-Za-z]{2}[0-9]{2}"
    assert wordless_beginning("%[0-9A-F]{2}[A-Za-z]{2}[0-9]{2}") is None
