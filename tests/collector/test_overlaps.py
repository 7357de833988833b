"""Whether a placeholder may be a part of what a gate asks for."""

import pytest

from telemetry.collector.overlaps import literal_overlaps, overlaps

PLACEHOLDER = "[REDACTED:secret]"


@pytest.mark.parametrize(
    "pattern",
    [
        "secret",
        "ecret]?=",
        r"[a-z]+\][^a]{2}x",
        "(?:x|t)][0-9]{3}",
        "[0-9]?[^0-9]+=",
        r"\bREDACTED\b",
        "t?]",
        "=[^&]",
        "ecret[^]]",
        "[^&]{3}E",
        "x+\\[",
    ],
)
def test_what_has_a_part_of_a_placeholder_in_it(pattern):
    """A pattern may find its beginning before the placeholder, and its rest behind it."""
    assert overlaps(pattern, PLACEHOLDER)


@pytest.mark.parametrize(
    "pattern", ["ecret=", "ecret[a-z]", "[0-9]{2}", "secrets", "=[^R[]", "[0-9]{2}R", "(?:to|se)ken", "REDACTED;?s"]
)
def test_what_is_all_outside_of_it(pattern):
    """A pattern that cannot begin within, or not go on, is found only where it was before."""
    assert not overlaps(pattern, PLACEHOLDER)


@pytest.mark.parametrize("literal", ["=[", "REDACTED", "]=", "[REDACTED:secret]", "x[RED"])
def test_literal_of_which_a_placeholder_has_a_part(literal):
    """A literal may begin before the placeholder, and end behind it."""
    assert literal_overlaps(literal, PLACEHOLDER)


@pytest.mark.parametrize("literal", ["=", "[R=", "secret:", "a[b"])
def test_literal_of_which_a_placeholder_has_nothing(literal):
    """A literal that goes on in another way than the placeholder is found only where it was before."""
    assert not literal_overlaps(literal, PLACEHOLDER)
