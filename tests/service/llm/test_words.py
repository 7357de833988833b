"""What is not looked for in a text of words alone cannot be there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.llm.personal import Personal
from service.llm.words import SIGN, in_words
from telemetry.pii import load

PERSONAL = Personal(load().policy, lambda _kind: None)
_EXAMPLES = [(rule.rule.name, text) for rule in PERSONAL.rules for text in rule.rule.examples]
_WORDS = st.text(st.characters(codec="utf-8").filter(lambda char: SIGN.search(char) is None), max_size=12)
_TELLING = st.sampled_from(
    ["password", "Bearer", "eyJ", "AKIA", "-----BEGIN", "call me at", "phone:", "é", "-", " ", ":"]
)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("abc", True), ("ab1", False), ("[0-9]", False), ("[0-9a]", True), ("[^0-9]", True), ("(?:a|1)", True),
        ("(?:1|2)", False), ("a1*", True), ("a1+", False), ("a1{0,3}", True), ("a1{2}", False), ("^a", True),
        ("(a)(@)", False), ("é", True), ("[à-ü]", True), ("a=", False), ("[Pp]hone:", True),
    ],
)  # fmt: skip
def test_in_words(pattern: str, expected: bool):
    """A pattern may match words if each of its parts may, or need not be there."""
    assert in_words(pattern) is expected


@pytest.mark.parametrize(("rule", "text"), _EXAMPLES)
def test_examples_occur(rule: str, text: str):
    """Every example of every rule is still seen, with words around it."""
    assert PERSONAL.occurs(text), rule
    assert PERSONAL.occurs(f"Dear team, {text} and so on")


@given(st.lists(_WORDS | _TELLING, max_size=12))
def test_words(parts: list[str]):
    """In words alone, the few rules that are looked for are all that could hit."""
    text = "".join(parts)
    assert SIGN.search(text) is None
    assert PERSONAL.occurs(text) == bool(PERSONAL.find(text))
