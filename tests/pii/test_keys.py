"""Key rules: which attribute keys they hit, in which spellings, under which engine."""

import importlib
import importlib.metadata
import re
import warnings
from pathlib import Path

import pytest

from telemetry import names
from telemetry.pii import Scrubber, read_policy
from telemetry.pii.item import Item
from telemetry.pii.keys import key_pattern
from telemetry.pii.model import KeyRule
from tests.pii.engines import bare_rule, by_go

HITS = Path(__file__).with_name("semconv_hits.txt")
RULES = read_policy().key_rules


def convention_names() -> set[str]:
    """Returns every attribute name of the installed semantic-conventions package."""
    found = set()
    for file in importlib.metadata.files("opentelemetry-semantic-conventions") or []:
        if file.name.endswith("_attributes.py"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # some of the modules are deprecated as a whole
                module = importlib.import_module(str(file.with_suffix("")).replace("/", "."))
            found |= {value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}
    return found


def spelled(words: str) -> list[str]:
    """Returns several words in every spelling that a key may have."""
    parts = words.split(" ")
    snake, pascal = "_".join(parts), "".join(part.capitalize() for part in parts)
    return [
        snake, snake.upper(), "-".join(parts), ".".join(parts), "-".join(part.capitalize() for part in parts),
        pascal[0].lower() + pascal[1:], pascal, "".join(parts),
    ]  # fmt: skip


def test_hits_among_the_conventions(scrubber: Scrubber) -> None:
    """Of all names of the semantic conventions, exactly those of the committed list are hit, each by its rule."""
    known = convention_names()
    assert len(known) > 800
    hits = {name: rule.name for name in known if (rule := scrubber.compiled.key_rule(name))}
    committed = dict(line.split() for line in HITS.read_text().splitlines())
    assert hits == committed


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.place == "last_words"], ids=lambda rule: rule.name)
def test_last_words_in_every_spelling(scrubber: Scrubber, rule: KeyRule) -> None:
    """The last words of a key count, alone or behind others, in snake, camel, kebab and dotted spelling."""
    keys = [
        key
        for words in rule.words
        for key in (
            *spelled(words),
            *spelled(f"old {words}")[:-1],
            *spelled(f"x2 {words}")[:-1],
            f"http.request.header.{words.replace(' ', '-')}",
            f"user[{words.replace(' ', '_')}]",
            f"{words.replace(' ', '_')}_2",
            f"{words.replace(' ', '.')}.0",
            f"{words.replace(' ', '')}[]",
        )
    ]
    assert [key for key in keys if scrubber.compiled.key_rule(key) is None] == []


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.place == "last_words"], ids=lambda rule: rule.name)
def test_other_words_behind_are_innocent(scrubber: Scrubber, rule: KeyRule) -> None:
    """A key that only begins with the words, or in which they are a part of longer ones, is not hit."""
    keys = [key for words in rule.words for key in spelled(f"{words} count")]
    keys += [f"x{words.replace(' ', '')}" for words in rule.words] + [f"{rule.words[0]}less"]
    assert [key for key in keys if scrubber.compiled.key_rule(key)] == []


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.place == "owned"], ids=lambda rule: rule.name)
def test_owned_words_in_every_spelling(scrubber: Scrubber, rule: KeyRule) -> None:
    """A word that only a person's field has counts alone or behind its owner, and not behind anything else."""
    hit = [key for word in rule.words for key in spelled(word)]
    hit += [key for owner in rule.owners for word in rule.words for key in spelled(f"{owner} {word}")]
    hit += [key for owner in rule.owners for word in rule.words for key in spelled(f"main {owner} {word}")[:-1]]
    assert {decided.name for key in hit if (decided := scrubber.compiled.key_rule(key))} == {rule.name}
    assert [key for key in hit if scrubber.compiled.key_rule(key) is None] == []
    others = [key for other in ("file", "host", "thread") for word in rule.words for key in spelled(f"{other} {word}")]
    assert [key for key in others if scrubber.compiled.key_rule(key)] == []


def test_our_own_names_are_never_hit(scrubber: Scrubber) -> None:
    """Nothing that this project calls an attribute, a log field or a label is taken for something personal."""
    own = set(scrubber.policy.resource_keys) | {"timestamp", "level", "event", "logger", "trace_id", "span_id"}
    for value in vars(names).values():
        if isinstance(value, names.Event):
            own |= {str(value), *value.fields}
        elif isinstance(value, names.Metric):
            own |= {value.name, *value.labels}
    own |= {value for name, value in vars(names).items() if name.startswith("ATTR_")}
    pseudonymous = {"principal"}
    assert {key for key in own if scrubber.compiled.key_rule(key)} == own & pseudonymous


def test_one_pattern_for_all_keys_under_every_engine(scrubber: Scrubber) -> None:
    """All key rules make one pattern, and Python, RE2 and Go find the same keys by it."""
    keys = sorted(convention_names()) + [key for rule in RULES for key in (*rule.examples, *rule.innocent)]
    keys += [key for rule in RULES for words in rule.words for key in (*spelled(words), *spelled(f"a {words}"))]
    pattern = key_pattern(RULES)
    hit = [key for key in keys if scrubber.compiled.key_rule(key)]
    assert [key for key in keys if re.search(pattern, key, re.ASCII)] == hit
    [replaced] = by_go([bare_rule(pattern)], [keys])
    assert [key for key, left in zip(keys, replaced, strict=True) if left != key] == hit


def test_what_is_told_of_a_redaction_is_left_alone():
    """Whatever rule hit under whatever key: a second scrubbing, the collector's, finds nothing in what says so."""
    scrubber = Scrubber(read_policy())
    item = Item(scrubber)
    words = {word.replace(" ", "_") for rule in scrubber.policy.key_rules for word in rule.words}
    item.found += [(rule, f"attributes.{word}") for rule in scrubber.rule_names for word in words]
    assert len(item.told) > 1000
    assert [scrubber.text(text, names.ATTR_PII_REDACTIONS) for text in item.told] == item.told
