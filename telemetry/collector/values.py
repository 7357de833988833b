"""The value rules as OTTL statements: each is tried where it may hit, with the shortest pattern that will do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.collector.clauses import FOLDED, TEXT, WORDLESS
from telemetry.collector.gates import condition, has_numbers, patterns, texts
from telemetry.collector.looking import folded_text, text_of, wordless_text
from telemetry.collector.marks import HITS, MAP, NO_HITS, PERHAPS, is_hit
from telemetry.collector.ottl import any_of, literal, replacement, where
from telemetry.collector.plain import SIGNS, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telemetry.collector.gates import Gate
    from telemetry.pii.model import ValueRule

# Set once a rule was tried and a placeholder is there.
_LEFT: Final = 'cache["x"]'
_HAS_PLACEHOLDER: Final = f'Index(ToKeyValueString({MAP}, "\\x01", "\\x02"), "[REDACTED:") != -1'
# Set where something is written with one of the signs that other patterns do without.
_SIGNS: Final = 'cache["es"]'
# Set once a rule for numbers was tried, until all is looked at again.
_AGAIN: Final = 'cache["ag"]'
# A shorter pattern is tried as soon as all is looked at again.
_LONG: Final = 500
_STASH: Final = "e."


def _is_tried(name: str, gate: Gate) -> str:
    """Give the condition that a rule is to be tried, by its name and its gate."""
    if gate.weaker == gate.alternatives:
        return is_hit(name)
    weaker = f" and {is_hit(f'{name}{PERHAPS}')}" if gate.weaker else ""
    return f"({is_hit(name)} or ({_LEFT} != nil{weaker}))"


def signs() -> Iterator[str]:
    """Give the statements that tell which form of the patterns is needed."""
    yield from text_of(TEXT, MAP)
    yield f"set({_SIGNS}, true) where {any_of(f'Index({TEXT}, {literal(sign)}) != -1' for sign in SIGNS)}"


def _look_again(rule: ValueRule, gate: Gate, tried: str) -> Iterator[str]:
    """Give the statements that strike a rule off the list which cannot hit what earlier ones have left.

    A card's number is what telephones and many others are tried for, and `email` stands in a placeholder. To look once
    more is cheaper than to try those that have a long pattern.
    """
    asked = patterns(gate)
    told, looked_at = condition(asked), texts(asked)
    if told is None or len(rule.pattern) < _LONG:
        return
    if WORDLESS in looked_at and looked_at <= {TEXT, WORDLESS}:
        when, more, made = f"{_AGAIN} == true", wordless_text(), WORDLESS
    elif FOLDED in looked_at and looked_at <= {TEXT, FOLDED}:
        when, more, made = f"{_LEFT} != nil", folded_text(), FOLDED
    else:
        return
    again = f"{when} and {tried}"
    yield from (where(again, statement) for statement in (*text_of(TEXT, MAP), *more))
    if made == WORDLESS:
        yield f"set({_AGAIN}, false) where {again}"
    struck = f"replace_pattern({HITS}, {literal(f';{rule.name}[?]?;')}, {literal(NO_HITS)})"
    since = f"{made} != nil" if made == WORDLESS else f"{made} != nil and {when}"
    yield f"{struck} where {since} and {tried} and not {told}"


def _replaced(rule: ValueRule, pattern: str, condition: str) -> str:
    told = literal(replacement(rule.placeholder, rule.kept_before, rule.kept_after))
    return f'replace_all_patterns({MAP}, "value", {literal(pattern)}, {told}) where {condition}'


def values(rule: ValueRule, gate: Gate) -> Iterator[str]:
    """Give the statements of a value rule.

    Args:
        rule: the data.
        gate: when it is tried.
    """
    tried = _is_tried(rule.name, gate)
    yield from _look_again(rule, gate, tried)
    exempt = [(f"{MAP}[{literal(key)}]", f"cache[{literal(_STASH + key)}]") for key in sorted(rule.exempt_keys)]
    for value, kept in exempt:
        yield f"set({kept}, {value}) where {tried} and {value} != nil"
    shorter = plain(rule.pattern)
    if shorter is None:
        yield _replaced(rule, rule.pattern, tried)
    else:
        yield _replaced(rule, shorter, f"{_SIGNS} == nil and {tried}")
        yield _replaced(rule, rule.pattern, f"{_SIGNS} == true and {tried}")
    for value, kept in exempt:
        yield f"set({value}, {kept}) where {tried} and {kept} != nil"
    if len(rule.pattern) >= _LONG and has_numbers(rule):
        yield f"set({_AGAIN}, true) where {tried}"
    yield f"set({_LEFT}, true) where {_LEFT} == nil and {tried} and {_HAS_PLACEHOLDER}"
