"""The policy applied to texts: what stays the same object, budgets, memory."""

import pytest

from telemetry.pii import UNSCRUBBABLE, Item, Scrubber, load
from telemetry.pii.compiled import MAX_HITS
from telemetry.pii.scrubber import MAX_TEXT


@pytest.mark.parametrize("text", ["all is well", "Grüße aus Köln", "", "x" * 5000, "id 01ARZ3NDEKTSV4RRFFQ69G5FAV"])
def test_clean_text_is_the_same_object(scrubber: Scrubber, text: str) -> None:
    """What is not sensitive comes back as it is, the first time and later."""
    assert scrubber.text(text) is text
    assert scrubber.text(text) is text


def test_lone_surrogates_are_escaped_every_time() -> None:
    """A text that cannot be written in UTF-8 is made one that can, also when it is known to be clean."""
    scrubber = load()
    assert [scrubber.text("a \ud800 b") for _ in range(2)] == ["a \\ud800 b"] * 2
    assert scrubber.text("\ud800 bob@example.com") == "\\ud800 [REDACTED:email]"


def test_exempt_key_exempts_from_its_rule_alone(scrubber: Scrubber) -> None:
    """Under `server.address` an address of a machine stays, again and again, and anything else does not."""
    for _ in range(2):
        assert scrubber.text("10.0.0.5", "server.address") == "10.0.0.5"
        assert scrubber.text("10.0.0.5", "client") == "[REDACTED:ip]"
        assert scrubber.text("bob@example.com 10.0.0.5", "server.address") == "[REDACTED:email] 10.0.0.5"


def test_text_of_too_many_characters(scrubber: Scrubber) -> None:
    """A text over its budget is not looked at and not told."""
    assert scrubber.text("x" * MAX_TEXT) == "x" * MAX_TEXT
    hits: list[str] = []
    assert scrubber.text("x" * (MAX_TEXT + 1), hit=hits.append) == UNSCRUBBABLE
    assert hits == ["unscrubbable"]


def test_text_of_too_many_hits(scrubber: Scrubber) -> None:
    """A text with more hits than the budget, of all rules together, is not told, on the fast path and the other."""
    half = MAX_HITS // 2
    some = "bob@example.com, " * half + "192.0.2.17, " * half
    assert scrubber.text(some) == scrubber.reference(some) == "[REDACTED:email], " * half + "[REDACTED:ip], " * half
    hits: list[str] = []
    assert scrubber.text(some + "192.0.2.18", hit=hits.append) == UNSCRUBBABLE
    assert hits[-1] == "unscrubbable"
    assert scrubber.reference(some + "192.0.2.18") == UNSCRUBBABLE


def test_memory_is_bounded() -> None:
    """What is remembered of clean texts, exempt values and keys does not grow for ever."""
    scrubber = load()
    for number in range(20_000):
        scrubber.text(f"text {number}")
        scrubber.text(f"10.0.{number % 250}.{number // 250}", "server.address")
        scrubber.key(f"key{number}")
    assert len(scrubber.clean) <= 8192
    assert len(scrubber._exempted) <= 8192
    assert len(scrubber.keys) <= 8192


def test_harmless_item_is_the_same_object(scrubber: Scrubber) -> None:
    """A nested item in which nothing is sensitive comes back itself."""
    item = {"a": ["x", 1, 2.5, None, {"b": (True, "y")}], 7: "n", None: "z", "server.address": "10.0.0.5"}
    for _ in range(2):
        walk = Item(scrubber)
        assert walk.mapping(item, "item") is item
        assert walk.found == []


def test_findings_say_rule_and_place(scrubber: Scrubber) -> None:
    """An item knows which rules hit where, never what."""
    walk = Item(scrubber)
    given = {"msg": ["to bob@example.com", {"token": [1], "bob@example.com": 4111111111111111}]}
    assert walk.mapping(given, "log") == {
        "msg": ["to [REDACTED:email]", {"token": "[REDACTED:field]", "[REDACTED:email]": "[REDACTED:credit_card]"}]
    }
    assert walk.found == [
        ("email", "log.msg"),
        ("secret_field", "log.msg.token"),
        ("email", "log.msg"),
        ("credit_card", "log.msg.[REDACTED:email]"),
    ]
