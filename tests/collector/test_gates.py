"""A gate holds wherever its rule hits: texts are made of each rule's pattern, and the gate is asked about them."""

import re
from pathlib import Path

import pytest
import re2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.collector.clauses import FOLDED, KEYS, WORDLESS, AnyOf, Literals
from telemetry.collector.gates import BEFORE_SHORT, key_gate, rule_gate
from telemetry.collector.wordless import ENDS, WORDS
from telemetry.pii import load

COMPILED = load(Path(__file__).with_name("odd.toml")).compiled
PLACEHOLDERS = {rule.placeholder for rule in COMPILED.data}


def holds(clause, text):
    """Whether a clause holds for a text, as the collector would find."""
    if isinstance(clause, Literals):
        looked_at = text.lower() if clause.fold else text
        return any(literal in looked_at for literal in clause.any)
    if isinstance(clause, AnyOf):
        return any(all(holds(each, text) for each in patterns) for patterns in clause.alternatives)
    looked_at = {
        KEYS: text.lower(),
        FOLDED: text.lower(),
        WORDLESS: re2.sub(WORDS, ENDS.replace("${", "\\g<").replace("}", ">"), text),
    }
    return re2.search(clause.pattern, looked_at.get(clause.text, text)) is not None


def lets_through(gate, text):
    """Whether a rule with this gate is tried on a text; without alternatives it always is."""
    return not gate.alternatives or any(all(holds(each, text) for each in clauses) for clauses in gate.alternatives)


@pytest.mark.parametrize("rule", COMPILED.rules, ids=[rule.rule.name for rule in COMPILED.rules])
def test_gate_holds_wherever_its_rule_hits(rule):
    """Whatever a value rule hits, its gate lets it be tried."""
    gate = rule_gate(rule.rule, PLACEHOLDERS)

    @settings(max_examples=120, database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.from_regex(re.compile(rule.rule.pattern, re.ASCII)))
    def judge(text):
        try:
            told = text.encode()
        except UnicodeEncodeError:
            return
        if rule.pattern.search(told) is not None:
            assert lets_through(gate, text), text

    judge()


@pytest.mark.parametrize("rule", COMPILED.rules, ids=[rule.rule.name for rule in COMPILED.rules])
def test_gate_holds_for_every_example(rule):
    """Each rule's own examples come through its gate."""
    gate = rule_gate(rule.rule, PLACEHOLDERS)
    for example in rule.rule.examples:
        assert lets_through(gate, example), example


@pytest.mark.parametrize("rule", COMPILED.policy.key_rules, ids=lambda rule: rule.name)
def test_gate_holds_for_every_key(rule):
    """Each key rule's own examples come through its gate, in whatever case."""
    for example in rule.examples:
        assert lets_through(key_gate(rule), f"{BEFORE_SHORT}{example}\x01s{BEFORE_SHORT}"), example


def test_built_in_rules_have_gates():
    """No built-in rule is tried on everything: that would cost more than all others together."""
    built_in = load().compiled
    placeholders = {rule.placeholder for rule in built_in.data}
    assert [rule.rule.name for rule in built_in.rules if not rule_gate(rule.rule, placeholders).alternatives] == []
    assert [rule.name for rule in built_in.policy.key_rules if not key_gate(rule).alternatives] == []
