"""JSON's escapes as characters."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.llm.json_escapes import in_characters

NO_CONTROLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"))


@given(st.recursive(NO_CONTROLS, lambda inner: st.lists(inner) | st.dictionaries(NO_CONTROLS, inner)), st.booleans())
def test_it_means_the_same(value, escaped):
    """Whatever is escaped in it, JSON means the same; what is not a quote, a backslash or a line's end stands there."""
    text = in_characters(json.dumps(value, ensure_ascii=escaped))
    assert json.loads(text) == value
    assert text == json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"bob\u0040example.com", "bob@example.com"),
        (r"bob\uff20example.com", "bob\uff20example.com"),
        (r"bob\u0026#64;example.com", "bob&#64;example.com"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"a\/b", "a/b"),
        (r"030\t1234567", "030 1234567"),
        (r"\u0000\u001b", ""),
        # A backslash that is one, halves of pairs, and what is no escape, stay.
        (r"\\u0040", r"\\u0040"),
        (r"\u0022 \u005c \u000a", r"\" \\ \n"),
        (r"\ud83d", r"\ud83d"),
        (r"\x41 \u12", r"\x41 \u12"),
        ("\\", "\\"),
    ],
)
def test_each_escape(text, plain):
    """Each becomes what it stands for, where JSON may be written so."""
    assert in_characters(text) == plain
