"""A short form of `make fuzz`."""

from itertools import islice

import pytest

from telemetry.pii import Scrubber, read_policy
from tests.pii.fuzzing import Difference, difference, strings

STRINGS = 6000


@pytest.mark.parametrize("key", [None, b"key"], ids=["placeholders", "pseudonyms"])
def test_scrubber_agrees_with_itself(key: bytes | None) -> None:
    """On glued and mutated examples the fast path equals the reference, and a second scrubbing changes nothing."""
    scrubber = Scrubber(read_policy(), key)
    texts = islice(strings(scrubber, seed=7), STRINGS)
    assert [wrong for text in texts if (wrong := difference(scrubber, text))] == []


def test_a_difference_is_found(scrubber: Scrubber, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scrubber whose prefilter misses a rule is caught, with the string."""
    blind = Scrubber(scrubber.policy)
    email = next(rule.number for rule in blind.compiled.rules if rule.rule.name == "email")
    hits = blind.compiled.hits
    monkeypatch.setattr(blind.compiled, "hits", lambda text: [number for number in hits(text) if number != email])
    found = difference(blind, "to bob@example.com")
    assert found == Difference(
        "to bob@example.com",
        "the fast path gives what the reference gives",
        "to bob@example.com",
        "to [REDACTED:email]",
    )
