"""Whether a placeholder may be a part of what a gate asks for."""

import pytest

from telemetry.collector.overlaps import overlaps

PLACEHOLDER = "[REDACTED:secret]"


@pytest.mark.parametrize(
    "pattern",
    ["secret", "ecret]?=", r"[a-z]+\][^a]{2}x", "(?:x|t)][0-9]{3}", "[0-9]?[^0-9]+=", r"\bREDACTED\b", "t?]"],
)
def test_what_ends_in_a_placeholder_or_behind_it(pattern):
    """A pattern that gets to the end of the placeholder may find the rest behind it."""
    assert overlaps(pattern, PLACEHOLDER)


@pytest.mark.parametrize(
    "pattern", ["ecret=", "ecret[^]]", "[0-9]{2}", "secrets", "=[^&]", "(?:to|se)ken", "REDACTED;?s"]
)
def test_what_is_all_outside_of_it(pattern):
    """A pattern that cannot begin within, or not go on, is found only where it was before."""
    assert not overlaps(pattern, PLACEHOLDER)
