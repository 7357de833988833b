"""However an answer is divided, the same comes out, and it is what the policy says of the whole."""

import random
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service.llm.cutting import LIMIT
from service.llm.holdback import HoldBack
from service.llm.personal import KINDS
from telemetry.pii import Scrubber
from tests.service.llm.answers import APART, CANARY, EXAMPLES, GLUED, PERSONAL, POLICY, PROSE, answers, divided, said

RULES = tuple(rule for rule in POLICY.value_rules if rule.kind in KINDS)
WHOLE = Scrubber(replace(POLICY, value_rules=RULES, key_rules=(), query_keys=None))
# Behind the placeholder of a value that has blanks and more characters than rules look back, the policy takes a number
# without a + for no telephone; here it is one: more is replaced, not less.
SHORT = [text for text in EXAMPLES if not ("SSH2" in text or "AWS4" in text)]
PLAIN = [word for word in PROSE if word != "password:"]
LONG = {
    "armoured key": "-----BEGIN RSA PRIVATE KEY-----\n"
    + "MIIEow/IBAAKCAQEA+x9\n" * 80
    + "-----END RSA PRIVATE KEY-----",
    "armoured key with another script": "-----BEGIN PRIVATE KEY-----\n" + "応募します。sesame-" * 80,
    "armoured key, cut off": "-----BEGIN PRIVATE KEY-----\n" + "MIIEow/IBAAKCAQEA+x9\n" * 80,
    "signed token": "eyJhbGciOiJSUzI1NiJ9." + "eyJzdWIi" * 80 + "." + "c2lnbmF0" * 43,
    "long key": "sk-ant-api03-" + "abcDEF0123" * 60,
    "long password": "password=" + "s3cr3t" * 100,
}


@settings(max_examples=300, deadline=None)
@given(answers(GLUED), st.randoms(use_true_random=False))
def test_pieces_make_no_difference(text, dice):
    """Any splitting gives what the whole text gives, also where values are glued to each other."""
    assert said([text]) == said(divided(text, dice))


@settings(max_examples=300, deadline=None)
@given(answers(APART, SHORT))
def test_the_whole_is_as_the_policy_says(text):
    """What comes out is what the policy's rules, one after the other, make of the whole text."""
    assert WHOLE.reference(text) == said([text])


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_in_a_sentence_is_as_the_policy_says(example):
    """Each example and each innocent text of each rule, character by character, in prose."""
    text = f"We wrote: {example} and more of it."
    assert WHOLE.reference(text) == said(text)


def test_ten_thousand_splittings():
    """Ten thousand random splittings of random texts give what the wholes give."""
    dice = random.Random(7)
    for _ in range(500):
        words = dice.choices((*EXAMPLES, *PROSE, *PROSE, *PROSE), k=3)
        text = "".join(word + dice.choice(GLUED) for word in words)
        whole = said([text])
        for _ in range(20):
            assert whole == said(divided(text, dice))


@pytest.mark.parametrize("name", LONG)
def test_what_is_longer_than_what_is_held_is_one_value(name):
    """A key or a token of any length has one placeholder, and what stands around it stays."""
    behind = "" if "END" not in LONG[name] and "BEGIN" in LONG[name] else "\n" + "so it goes on and on " * 8
    text = f"Here it is: {LONG[name]}{behind}"
    whole = said([text])
    assert WHOLE.reference(text) == whole
    for seed in range(20):
        assert whole == said(divided(text, random.Random(seed)))


def test_a_megabyte_without_a_blank_flows():
    """A run without end goes out but for the last characters, in bounded memory, whatever its pieces."""
    answer = HoldBack(PERSONAL, CANARY)
    text = "xy" * 500_000
    out = 0
    for start in range(0, len(text), 7):
        out += len(answer.feed(text[start : start + 7]))
        assert start + 7 - out <= LIMIT + 7
    assert out + len(answer.finish()) == len(text)
    assert said([text]) == text


def test_an_address_behind_a_long_run_is_replaced_as_far_as_it_is_held():
    """Where the @ comes after more than can be held, the address itself still does not go out."""
    out = said(["x" * 1000, "ann@example.com"])
    assert out.endswith("x[REDACTED:email]")
    assert "ann" not in out
    assert len(out) <= 1000 - LIMIT + 64


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PLAIN), min_size=1, max_size=30), st.integers(1, 5))
def test_prose_waits_for_its_last_word_at_most(words, size):
    """Of words with blanks between only the last is held, or a number that may go on."""
    text = " ".join(words)
    # Words of prose may make a value together: "Tel. 2024 2024" is a telephone number to the policy.
    assume(WHOLE.leaves(text))
    answer = HoldBack(PERSONAL, CANARY)
    out = ""
    for start in range(0, len(text), size):
        out += answer.feed(text[start : start + size])
        held = text[: start + size][len(out) :]
        assert len(held.split()) <= 1 or any(char.isdigit() for char in held)
    assert out + answer.finish() == text


@settings(max_examples=200, deadline=None)
@given(answers(GLUED), st.randoms(use_true_random=False))
def test_never_more_than_the_limit_is_held(text, dice):
    """What is kept back of anything is bounded."""
    answer = HoldBack(PERSONAL, CANARY)
    for piece in divided(text, dice):
        answer.feed(piece)
        assert len(answer._written._held) <= LIMIT
