"""What is read off a pattern: literals that must be there, and how many digits."""

import re
from re import _parser  # the very trees that the rendering looks at

import pytest

from telemetry.collector.digits import digit_gate
from telemetry.collector.necessary import necessary


def sets(pattern: str, *, fold: bool) -> list[set[str]]:
    """Returns the sets of literals that are read off a pattern."""
    return [set(each) for each in necessary(list(_parser.parse(pattern)), fold=fold)]


@pytest.mark.parametrize(
    ("pattern", "folded", "exact"),
    [
        ("eyJ[a-z]{8,}", [{"eyj"}], [{"eyJ"}]),
        ("(?:^|[^a-z])sk-", [{"sk-"}], [{"sk-"}]),
        ("abc[a-z]*def", [{"abc"}, {"def"}], [{"abc"}, {"def"}]),
        ("[Pp]ass[Ww]ord=[0-9]+", [{"password="}], [{"PassWord=", "Password=", "passWord=", "password="}]),
        ("(?:ab|cd){2}", [{"abab", "abcd", "cdab", "cdcd"}], [{"abab", "abcd", "cdab", "cdcd"}]),
        ("(?:foo|barfoo)z?", [{"foo"}], [{"foo"}]),
        ("(?i:Token)[=:]", [{"token=", "token:"}, {"token"}], []),
        ("(?:[Ee]mail|mail)?@", [{"@"}], [{"@"}]),
    ],
)
def test_literals_that_must_be_there(pattern: str, folded: list[set[str]], exact: list[set[str]]) -> None:
    """Of each set one literal is in whatever the pattern matches; without case where the text is looked at so."""
    assert (sets(pattern, fold=True), sets(pattern, fold=False)) == (folded, exact)


@pytest.mark.parametrize("pattern", ["[0-9]+", "a|bcd", "(?:abc)*", "(?:abc|[a-z]+)", "x[^y]z", "-[a-z]+:"])
def test_nothing_is_told_of_what_is_everywhere(pattern: str) -> None:
    """What every text has, or what may be missing, is no condition."""
    assert sets(pattern, fold=True) == []


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("[0-9]{3}-[0-9]{2}-[0-9]{4}", r"[0-9](?:(?:[\-]){0,1}[0-9]){8}"),
        ("(?:[0-9][ -]?){15}[0-9]", r"[0-9](?:(?:[ \-]){0,1}[0-9]){15}"),
        ("[0-9]{2}%20[0-9]{2}", "[0-9](?:(?:%[0-9A-Fa-f]{2}){0,1}[0-9]){3}"),
        ("[0-9]{2}[^a]{0,3}[0-9]{2}", "[0-9](?:[^0-9]{0,3}[0-9]){3}"),
        ("(?:1234|56789)", "[0-9](?:[0-9]){3}"),
        ("[0-9]{4,8}", "[0-9](?:[0-9]){3}"),
    ],
)
def test_digits_that_must_be_there(pattern: str, told: str) -> None:
    """As many digits as every match has, with no more than what stands between two of them."""
    assert digit_gate(list(_parser.parse(pattern))) == told


@pytest.mark.parametrize(
    "pattern", ["[0-9]{3}", "[A-Z0-9]{8}", "[0-9]{4}[a-z]*[0-9]{4}", "[0-9]{2}[a-c]{0,20}[0-9]{2}", "(?:[0-9]{9})?"]
)
def test_nothing_is_told_of_few_digits(pattern: str) -> None:
    """Fewer than four digits, or any distance between them, is no condition."""
    assert digit_gate(list(_parser.parse(pattern))) is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"[0-9]{2}\\[0-9]{2}", "12\\34"),
        ("[0-9]{2}]?[0-9]{2}", "12]34"),
        (r"[0-9]{2}[\^a]?[0-9]{2}", "12^34"),
        ("[0-9]{2}[^a][0-9]{2}", "12-34"),
        ("[0-9]{2}[0-9a]{0,2}[0-9]{2}", "12a134"),
        ("[0-9]{2}(?:%20|-)[0-9]{2}", "12%2034"),
        ("[0-9]{2}(?:%20|-)[0-9]{2}", "12-34"),
    ],
)
def test_digits_are_found_where_the_pattern_is(pattern: str, text: str) -> None:
    """Signs that mean something in a class are signs between digits too."""
    assert re.fullmatch(pattern, text) is not None
    assert re.search(digit_gate(list(_parser.parse(pattern))), text) is not None
