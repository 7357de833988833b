"""A canary ends the answer before any of it has gone out."""

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.llm.canary import MAX_GAP, Canaries
from service.llm.errors import Withheld
from service.llm.holdback import HoldBack
from service.llm.model import Prompt
from tests.service.llm.answers import CANARY, GLUED, PERSONAL, answers, divided, said


def prompt(text):
    """A prompt with that text."""
    return Prompt("letter", "1", text, hashlib.sha256(text.encode()).hexdigest())


def until_withheld(pieces):
    """What has gone out when the answer is ended."""
    answer = HoldBack(PERSONAL, CANARY)
    out = []
    with pytest.raises(Withheld):
        out.extend(map(answer.feed, pieces))
    with pytest.raises(Withheld):
        answer.feed(" more")
    with pytest.raises(Withheld):
        answer.finish()
    return "".join(out)


@pytest.mark.parametrize("position", range(len(CANARY) + 1))
def test_a_canary_in_two_pieces(position):
    """Wherever it is divided, nothing of it goes out."""
    assert until_withheld(["The marker is ", CANARY[:position], CANARY[position:]]) == "The marker is "


@pytest.mark.parametrize(
    "written",
    [
        CANARY.upper(), " ".join(CANARY), "-".join(CANARY), "\u200b".join(CANARY), "\n* ".join(CANARY),
        CANARY[:9] + " " * MAX_GAP + CANARY[9:], "".join(chr(ord(char) + 0xFEE0) for char in CANARY),
        "ab" + CANARY + "cd", CANARY[:7] + CANARY, CANARY[:10] + "x " + CANARY,
    ],
)  # fmt: skip
def test_a_canary_in_disguise(written):
    """In capitals, full width, spelled out, begun twice or with invisible signs between it is the same."""
    out = until_withheld(f"It says: {written}")
    assert CANARY[:11] not in "".join(char for char in out.casefold() if char.isalnum())
    until_withheld([f"It says: {written}"])


@settings(max_examples=200, deadline=None)
@given(answers(GLUED), answers(GLUED), st.randoms(use_true_random=False))
def test_a_canary_among_anything(before, behind, dice):
    """Whatever stands around it and however it is divided, it is seen, and its start has not gone out."""
    out = until_withheld(divided(before + CANARY + behind, dice))
    assert CANARY[:6] not in out


def test_a_canary_behind_a_run_without_blanks():
    """What flows for want of a place to cut holds a canary back as well."""
    for seed in range(20):
        out = until_withheld(divided("x" * 2000 + CANARY, random.Random(seed)))
        assert set(out) == {"x"}


@pytest.mark.parametrize("length", range(1, len(CANARY)))
def test_the_start_of_one_is_no_canary(length):
    """What only begins as a canary does goes out in the end, unchanged."""
    text = f"It is {CANARY[:length]} and no more, {CANARY[:length]}"
    assert said(text) == text


def test_a_canary_belongs_to_a_prompt_and_to_a_secret():
    """The same prompt has the same canary under the same secret, and another under another."""
    one, other = Canaries(b"a" * 32), Canaries(b"b" * 32)
    assert one.of(prompt("x")) == Canaries(b"a" * 32).of(prompt("x"))
    assert len({one.of(prompt("x")), one.of(prompt("y")), other.of(prompt("x"))}) == 3
    marked = one.marked(prompt("x"))
    assert marked.text.startswith(one.of(prompt("x")) + " ")
    assert (marked.text.endswith("\n\nx"), marked.digest) == (True, prompt("x").digest)


def test_no_rule_of_the_policy_takes_a_canary_for_a_value():
    """A prompt with its canary can be scrubbed, logged and compared."""
    canaries = Canaries(b"c" * 32)
    lines = [canaries.marked(prompt(str(number))).text for number in range(2000)]
    assert [line for line in lines if PERSONAL.occurs(line)] == []
