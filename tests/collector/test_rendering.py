"""What is generated of the policy: every context, no statement that may fail, and nothing outside the marks."""

import re
from collections import Counter
from pathlib import Path

import pytest

from telemetry import names
from telemetry.collector.document import with_blocks
from telemetry.collector.rendering import blocks
from telemetry.pii import load
from tests.collector.statements import Group, unguarded

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "otel-collector.yaml"
VALUE_RULE = """
[[value_rules]]
name = "staff_number"
kind = "staff"
reason = "says who it is"
keep_before = '''<left>'''
match = ['''EMP-[0-9]{6}\\b''']
examples = ["EMP-123456"]
innocent = ["TEMP-123456"]
"""
ATTRIBUTES = {"metric": "metadata", "exemplar": "filtered_attributes"}
CONTEXTS = {
    "trace_statements": ["resource", "scope", "span", "spanevent"],
    "metric_statements": ["resource", "scope", "metric", "datapoint", "exemplar"],
    "log_statements": ["resource", "scope", "log"],
}
# What a context has besides its attributes.
TEXTS = {
    "resource": {"schema_url"},
    "scope": {"name", "version", "schema_url"},
    "span": {"name", "status.message", "trace_state"},
    "spanevent": {"name"},
    "metric": {"name", "description", "unit"},
    "datapoint": set(),
    "exemplar": set(),
    "log": {"severity_text", "event_name", "body"},
}


def by_hand(text: str) -> str:
    """Returns what of a configuration stands outside the marks."""
    return re.sub(r"(?ms)^( *# generated [a-z]+ ).*?^( *# end of generated)", r"\1\2", text)


def test_committed_configuration_is_current(rendered: dict[str, str]) -> None:
    """What is committed is what the policy says; if not: python -m telemetry.collector render --write."""
    committed = CONFIGURATION.read_text(encoding="utf-8")
    current = with_blocks(committed, rendered) == committed
    assert current, "python -m telemetry.collector render --write"


def test_a_rule_more_is_a_few_generated_lines_more(rendered: dict[str, str], tmp_path: Path) -> None:
    """A value rule of one's own is four lines more in each context; else only the digest changes, nothing by hand."""
    own = tmp_path / "own.toml"
    own.write_text(VALUE_RULE)
    before = with_blocks(CONFIGURATION.read_text(encoding="utf-8"), rendered)
    after = with_blocks(before, blocks(load(own).compiled))
    assert by_hand(after) == by_hand(before)
    assert len(by_hand(before).splitlines()) > 100
    lines, more = Counter(before.splitlines()), Counter(after.splitlines())
    assert [line for line in lines - more if load().policy.digest not in line] == []
    added = [line for line in (more - lines).elements() if load(own).policy.digest not in line]
    assert Counter(line.partition("(")[2].partition(".")[0] for line in added) == dict.fromkeys(TEXTS, 4)
    assert len([line for line in added if "[REDACTED:staff]" in line]) == 2 * len(TEXTS)


# What the look at an item ends with, where it found something.
_MARKS = '.cache["h"] != ";"'


def test_every_context_is_there(rendered_groups: list[Group]) -> None:
    """Each signal's statements are for all contexts that hold texts, each with a look and, behind it, the scrubbing."""
    found: dict[str, list[str]] = {}
    for group in rendered_groups:
        if "pii.scrub.hits" in "".join(group.conditions):
            found.setdefault(group.signal, []).append(group.context)
            attributes = ATTRIBUTES.get(group.context, "attributes")
            assert group.conditions == [f'{attributes}["pii.scrub.hits"] != nil']
    assert found == CONTEXTS
    looks = [
        (group.signal, group.context) for group in rendered_groups if any(_MARKS in each for each in group.statements)
    ]
    assert [each for signal, contexts in CONTEXTS.items() for each in ((signal, context) for context in contexts)] == [
        each for number, each in enumerate(looks) if each not in looks[:number]
    ]


def test_every_text_is_looked_at_and_scrubbed(rendered_groups: list[Group]) -> None:
    """Each name, message, address and body of an item is in the text that is looked at, and is set to what is left."""
    for group in rendered_groups:
        if not any("pii.scrub.hits" in condition for condition in group.conditions):
            continue
        given = {
            found[1] for each in group.statements if (found := re.match(rf"set\({group.context}\.([a-z_.]+), ", each))
        }
        assert given - {"attributes", "metadata", "filtered_attributes"} == TEXTS[group.context], group.context
    for group in rendered_groups:
        if group.conditions or any(names.ATTR_PII_POLICY_DRIFT in each for each in group.statements):
            continue
        look = "\n".join(each for each in group.statements if "Concat" in each or ".body" in each)
        assert {text for text in TEXTS[group.context] if f"{group.context}.{text}" not in look} == set()


def test_no_statement_looks_at_what_may_not_be_there(rendered_groups: list[Group]) -> None:
    """An entry of the cache is looked at only behind a statement that set it, under no condition that was not asked."""
    assert [found for group in rendered_groups for found in unguarded(group.statements)] == []


@pytest.mark.parametrize(
    ("statements", "entries"),
    [
        (['set(span.cache["a"], span.attributes)', 'delete_key(span.cache["a"], "x")'], []),
        (['delete_key(span.cache["a"], "x")'], ["a"]),
        (['set(cache["a"], body) where body != nil', 'set(body, cache["a"])'], ["a"]),
        (['set(cache["a"], body) where body != nil', 'set(body, cache["a"]) where body != nil'], []),
        (['set(cache["a"], body) where body != nil', 'set(x, 1) where Len(cache["a"]) > 0 and body != nil'], ["a"]),
        (['set(x, 1) where cache["a"] != nil and Len(cache["a"]) > 0'], []),
        (['set(x, 1) where cache["a"] == nil and Len(cache["a"]) > 0'], ["a"]),
        (['set(x, 1) where (cache["a"] != nil or IsMatch(cache["b"], "cache[\\"c\\"] and"))'], ["b"]),
        (['set(cache["a"]["k"], 1)'], ["a"]),
        (['set(cache["a"], Concat([cache["a"], "x"], ""))'], ["a"]),
        (['set(cache["a"], 1) where f == "1"', 'set(x, cache["a"]) where f == "2"'], ["a"]),
        (['set(x, 1) where cache["a"]["k"] != nil'], ["a"]),
    ],
)
def test_what_may_not_be_there_is_found(statements: list[str], entries: list[str]) -> None:
    """The check itself sees an entry that was never set, or not under these conditions."""
    assert [found.partition(":")[0] for found in unguarded(statements)] == entries


def test_no_statement_can_be_let_go(rendered: dict[str, str]) -> None:
    """An item whose statement fails is refused with its request, not sent on as it was."""
    assert rendered["processor"].splitlines()[:2] == ["transform/pii:", "  error_mode: propagate"]
    assert rendered["processor"].count("error_mode") == 1


def test_every_path_names_its_context(rendered_groups: list[Group]) -> None:
    """No path stands without its context, of which the collector would say so at every start."""
    bare = re.compile(r"(?<![\w.])(?:cache|attributes|filtered_attributes|metadata|name|body|status|links)\b(?!\()")
    for group in rendered_groups:
        for statement in group.statements:
            without = re.sub(r'"(?:\\.|[^"\\])*"', '""', statement)
            assert bare.search(without) is None, statement[:200]


def test_digest_is_the_policys(rendered: dict[str, str]) -> None:
    """The collector says of itself which policy it obeys, and whose links it keeps: those of services with the same."""
    digest = load().policy.digest
    assert rendered["digest"] == f'- {{name: pii.policy.digest, value: "{digest}"}}'
    assert f'resource.attributes[\\"pii.policy.digest\\"] == \\"{digest}\\"' in rendered["processor"]


def test_links_stay_only_with_the_same_policy(rendered_groups: list[Group]) -> None:
    """Links go where the resource did not say that it obeys this policy, which is said anew, whatever was sent."""
    links = [group for group in rendered_groups if any("links" in each for each in group.statements)]
    assert [(group.context, group.conditions, group.statements) for group in links] == [
        ("span", ['resource.attributes["pii.policy.drift"] != "same"'], ["set(span.links, nil)"])
    ]
    drift = [group for group in rendered_groups if any("pii.policy.drift" in each for each in group.statements)]
    said = 'set(resource.attributes["pii.policy.drift"], "unknown")'
    assert [(group.conditions, group.statements[0]) for group in drift] == [([], said)] * len(CONTEXTS)
