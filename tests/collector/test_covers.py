"""Fewer questions about many literals."""

import pytest

from telemetry.collector.covers import cover
from telemetry.collector.gates import key_gate, rule_gate
from telemetry.pii import load

WORDS = {"access key", "access-key", "access_key", "accesskey", "api key", "api-key", "api_key", "password", "passwd"}


def test_few_pieces_stand_for_many_words():
    """A piece that several words have is asked for in the place of all of them."""
    assert cover(WORDS) == {"key", "passw"}


@pytest.mark.parametrize("words", [{"a", "b"}, {"password", "passwd"}, {"ab", "cd", "ef", "gh", "ij", "kl"}, set()])
def test_few_words_are_asked_for_as_they_are(words):
    """Where there is little to gain nothing is changed."""
    assert cover(words) == words


def test_what_every_item_has_is_no_piece():
    """A piece of the names that attributes have would be found in each item."""
    names = {f"{kind}{join}name" for kind in ("first", "last", "full", "given") for join in ("_", "-", " ")}
    pieces = cover(names)
    assert "name" not in pieces
    assert len(pieces) < len(names)


def test_a_piece_is_in_each_word_of_every_rule():
    """Whatever literal a gate asks for, one of the pieces is in it: what has none of them has no literal."""
    compiled = load().compiled
    gates = [rule_gate(rule.rule, {rule.rule.placeholder for rule in compiled.rules}) for rule in compiled.rules]
    gates += [key_gate(rule) for rule in compiled.policy.key_rules]
    asked = [each.any for gate in gates for clauses in gate.alternatives for each in clauses if hasattr(each, "any")]
    assert len(asked) > 20
    for literals in asked:
        assert [each for each in literals if not any(piece in each for piece in cover(literals))] == []
