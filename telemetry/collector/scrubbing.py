"""The policy as OTTL statements on a map in the cache: the same ones for everything that has attributes.

`MAP` is what is scrubbed: an item's attributes and its other texts, under keys of ours. Which rules are tried was
found out before, on all of it in one text (`gates`): `HITS` lists them. A rule may also match only because an earlier
one left its placeholder; those for which that can be are tried once there is one.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from itertools import accumulate, chain, groupby, starmap
from typing import TYPE_CHECKING, Final

from telemetry.collector import odd_keys
from telemetry.collector.gates import Gate, condition, key_gate, rule_gate
from telemetry.collector.marks import HITS, MAP, NO_HITS, PERHAPS, WEAKER, hit, is_hit
from telemetry.collector.members import members
from telemetry.collector.nested import AS_JSON
from telemetry.collector.ottl import literal, where
from telemetry.collector.values import signs, values
from telemetry.pii.keyed_texts import MEMBER_RULE
from telemetry.pii.keys import key_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from telemetry.pii.compiled import Compiled
    from telemetry.pii.model import KeyRule, ValueRule

_FIELDS_OF: Final = "fields."
_FIELDS: Final = 'cache["f"]'
# A value that is a placeholder already, and the sign that it stands behind while the others are replaced.
_WHOLE_PLACEHOLDER: Final = r"^\[REDACTED:([a-z0-9_]+(?::h[0-9a-f]{16})?)\]$"
_KEPT: Final = "\x00"


@dataclass(frozen=True, slots=True)
class Scrubbing:
    """A policy's statements.

    Attributes:
        look: list in `HITS` what may hit, by the texts that the gates look at.
        exempt: keys that some rule leaves alone.
        fields: replace values by the names they are stored under.
        members: replace what is under such names in maps.
        odd_keys: put the keys in which something may be into the map.
        values: the value rules in order.
    """

    look: tuple[str, ...]
    exempt: tuple[str, ...]
    fields: tuple[str, ...]
    members: tuple[str, ...]
    odd_keys: tuple[str, ...]
    values: tuple[str, ...]


def scrubbing(compiled: Compiled) -> Scrubbing:
    """Render a policy.

    Args:
        compiled: its value rules, those that the key rules generate included, and its key rules.

    Raises:
        ValueError: a replacement that would capture.
    """
    key_rules, rules = compiled.policy.key_rules, [each.rule for each in compiled.rules]
    # A text without these keys is a text for those rules only that exempt all of them.
    exempting = [rule.exempt_keys for rule in rules if rule.exempt_keys]
    exempt = frozenset.intersection(*exempting) if exempting else frozenset()
    before = accumulate(({rule.placeholder} for rule in rules), operator.or_, initial=set[str]())
    gated = [(rule, rule_gate(rule, left, exempt)) for rule, left in zip(rules, before, strict=False)]
    fields = {f"{_FIELDS_OF}{kind}.{number}": each for number, (kind, each) in enumerate(_runs(key_rules))}
    gates = {name: _any_gate(each) for name, each in fields.items()} | {rule.name: gate for rule, gate in gated}
    return Scrubbing(
        look=tuple(_looks(gates)),
        exempt=tuple(sorted(exempt)),
        fields=tuple(chain.from_iterable(starmap(_fields, fields.items()))),
        members=tuple(chain.from_iterable(_members(rule, key_rules) for rule in rules if rule.name == MEMBER_RULE)),
        odd_keys=tuple(odd_keys.before(rules)),
        values=(*signs(), *chain.from_iterable(starmap(values, gated))),
    )


def _members(rule: ValueRule, rules: Sequence[KeyRule]) -> Iterator[str]:
    for statement in members(AS_JSON, rules, rule.placeholder):
        yield where(is_hit(rule.name), statement)


def _runs(rules: Sequence[KeyRule]) -> Iterator[tuple[str, list[KeyRule]]]:
    """Give rules that do the same one after the other: the first one that hits a key decides."""
    for (kind, _), run in groupby(rules, key=lambda rule: (rule.kind, rule.action == "drop")):
        yield kind, list(run)


def _any_gate(rules: Sequence[KeyRule]) -> Gate:
    gates = [key_gate(rule).alternatives for rule in rules]
    alternatives = tuple(chain.from_iterable(gates)) if all(gates) else ()
    return Gate(alternatives, alternatives)


def _looks(gates: Mapping[str, Gate]) -> Iterator[str]:
    first: dict[str | None, str] = {}
    for name, gate in gates.items():
        told = condition(gate.alternatives)
        # Rules that the same condition is for are asked about once.
        yield hit(name, told if first.setdefault(told, name) == name or told is None else is_hit(first[told]))
    for name, gate in gates.items():
        if gate.weaker and gate.weaker != gate.alternatives:
            statement = hit(f"{name}{PERHAPS}", condition(gate.weaker), WEAKER)
            yield where(f"{HITS} != {literal(NO_HITS)}", statement)


def _fields(name: str, rules: Sequence[KeyRule]) -> Iterator[str]:
    """Replace values by the names they are stored under, whatever their type; of several copies one is left."""
    tried, pattern, placeholder = is_hit(name), literal(key_pattern(rules)), rules[0].placeholder
    if rules[0].action == "drop":
        yield f"delete_matching_keys({MAP}, {pattern}) where {tried}"
        return
    yield f"set({_FIELDS}, {MAP}) where {tried}"
    yield f"keep_matching_keys({_FIELDS}, {pattern}) where {tried}"
    found = f"{tried} and Len({_FIELDS}) > 0"
    yield f"stringify_all({_FIELDS}) where {found}"
    for what, told in (
        (f"^{_KEPT}", "?"),
        (_WHOLE_PLACEHOLDER, f"{_KEPT}${{1}}"),
        (f"(?s)^(?:[^{_KEPT}].*)?$", placeholder),
        (f"(?s)^{_KEPT}(.*)$", "[REDACTED:${1}]"),
    ):
        yield f'replace_all_patterns({_FIELDS}, "value", {literal(what)}, {literal(told)}) where {found}'
    yield f"delete_matching_keys({MAP}, {pattern}) where {found}"
    yield f'merge_maps({MAP}, {_FIELDS}, "upsert") where {found}'
