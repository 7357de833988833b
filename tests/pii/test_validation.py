"""A policy that does not do what it says stops the start, with file, rule, position and reason."""

from pathlib import Path

import pytest

from telemetry.pii import PolicyError, load

VALUE_RULE = """
[[value_rules]]
name = "staff_number"
kind = "staff"
reason = "says who it is"
keep_before = '''^|[^A-Za-z0-9]'''
match = ['''EMP-[0-9]{6}\\b''']
examples = ["EMP-123456", "by EMP-654321."]
innocent = ["TEMP-123456", "EMP-1234567"]
"""
KEY_RULE = """
[[key_rules]]
name = "blood_field"
kind = "field"
reason = "says how somebody is"
place = "last_words"
words = ["blood group"]
examples = ["blood_group", "patientBloodGroup"]
innocent = ["blood_groups_total"]
"""


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    """Returns a place for a policy file."""
    return tmp_path / "mine.toml"


def test_own_file_adds_rules(policy_file: Path) -> None:
    """A file of the user's own adds value rules, key rules and resource attributes to the project's policy."""
    policy_file.write_text(VALUE_RULE + KEY_RULE + '\n[resource]\nallow = ["team.name"]\n')
    scrubber = load(policy_file)
    assert scrubber.text("by EMP-654321, bob@example.com") == "by [REDACTED:staff], [REDACTED:email]"
    assert scrubber.text('{"bloodGroup": "A"}') == '{"bloodGroup": "[REDACTED:field]"}'
    assert scrubber.compiled.key_rule("blood.group").name == "blood_field"
    assert {"team.name", "service.name"} <= scrubber.policy.resource_keys
    assert scrubber.policy.digest != load().policy.digest


def test_own_file_replaces_a_rule(policy_file: Path) -> None:
    """A rule of the same name takes the place of the project's, in the order as well."""
    replaced = VALUE_RULE.replace("staff_number", "us_ssn")
    policy_file.write_text(replaced)
    scrubber = load(policy_file)
    assert scrubber.text("078-05-1120 EMP-123456") == "078-05-1120 [REDACTED:staff]"
    names = [rule.name for rule in load().policy.value_rules]
    assert [rule.name for rule in scrubber.policy.value_rules] == names


WRONG = {
    "an example that its rule leaves": (
        VALUE_RULE.replace('"by EMP-654321."', '"by EMP-65."'),
        "value rule 'staff_number': examples 2 ('by EMP-65.'): it is not changed",
    ),
    "an innocent one that it changes": (
        VALUE_RULE.replace('"TEMP-123456"', '"id EMP-123456"'),
        "value rule 'staff_number': innocent 1 ('id EMP-123456'): it becomes 'id [REDACTED:staff]'",
    ),
    "a literal that is not in a match": (
        VALUE_RULE + 'literals = ["by"]\n',
        "value rule 'staff_number': examples 1 ('EMP-123456'): it matches without any of the literals",
    ),
    "a rule that eats placeholders": (
        VALUE_RULE.replace("EMP-[0-9]{6}\\b", "(?:EMP-[0-9]{6}\\b|[a-z_]+\\])"),
        "value rule 'staff_number': it changes the placeholder ",
    ),
    "a rule that eats pseudonyms": (
        VALUE_RULE.replace("EMP-[0-9]{6}\\b", "(?:EMP-[0-9]{6}\\b|h[0-9a-f]{16})"),
        "value rule 'staff_number': it changes the placeholder ",
    ),
    "a rule that eats what stands around a placeholder": (
        VALUE_RULE.replace("EMP-[0-9]{6}\\b", '(?:EMP-[0-9]{6}\\b|"\\[R)'),
        "value rule 'staff_number': it changes the placeholder ",
    ),
    "a rule that changes its own result": (
        VALUE_RULE.replace("EMP-[0-9]{6}\\b", "(?:EMP-[0-9]{6}\\b|by \\[)"),
        "examples 2 ('by EMP-654321.'): scrubbed it is 'by [REDACTED:staff].', scrubbed again",
    ),
    "a name that another rule has": (
        VALUE_RULE.replace("staff_number", "secret_field"),
        "key rule 'secret_field': another rule has this name",
    ),
    "the name of a generated rule": (
        VALUE_RULE.replace("staff_number", "json_field"),
        "another rule has this name",
    ),
    "a name twice in one file": (
        VALUE_RULE + VALUE_RULE,
        ":11: value rule 'staff_number': this file has an earlier rule of that name",
    ),
    "a key that is not hit": (
        KEY_RULE.replace('"patientBloodGroup"', '"blood"'),
        "key rule 'blood_field': examples 2 ('blood'): it is not hit",
    ),
    "a key that an earlier rule hits": (
        KEY_RULE.replace('"patientBloodGroup"', '"blood_group_token"'),
        "key rule 'blood_field': examples 2 ('blood_group_token'): the earlier rule 'secret_field' hits it first",
    ),
    "a word that is none": (
        KEY_RULE.replace('words = ["blood group"]', 'words = ["("]'),
        "key rule 'blood_field': '(': words are of letters and digits",
    ),
    "an innocent key that is hit": (
        KEY_RULE.replace('"blood_groups_total"', '"the.blood.group"'),
        "key rule 'blood_field': innocent 1 ('the.blood.group'): it is hit",
    ),
    "a key rule that hits what telemetry needs": (
        KEY_RULE.replace('words = ["blood group"]', 'words = ["blood group", "name"]'),
        "key rule 'blood_field': it hits ",
    ),
    "a key rule that hits our own attributes": (
        KEY_RULE.replace('words = ["blood group"]', 'words = ["blood group", "digest"]'),
        "key rule 'blood_field': it hits 'pii.policy.digest', which telemetry needs",
    ),
    "a pattern outside the subset": (
        VALUE_RULE.replace("EMP-[0-9]{6}", "EMP-\\d+"),
        r"value rule 'staff_number': match: position 5 at '\\d+\\b': \d differs between engines",
    ),
    "an empty match": (
        VALUE_RULE.replace("EMP-[0-9]{6}\\b", "[0-9]*"),
        "value rule 'staff_number': match: position 1 at '[0-9]*': it can match nothing",
    ),
    "a part that there is not": (
        VALUE_RULE.replace("EMP-", "<emp>"),
        "value rule 'staff_number': match position 1: no part 'emp' in [parts]",
    ),
    "an unknown field": (
        VALUE_RULE + "kepp_after = ''\n",
        "value rule 'staff_number': unknown field 'kepp_after'; known: action,",
    ),
    "a field of the wrong type": (
        VALUE_RULE.replace('reason = "says who it is"', "reason = 7"),
        "value rule 'staff_number': reason is a string",
    ),
    "a list that is a text": (
        VALUE_RULE.replace('innocent = ["TEMP-123456", "EMP-1234567"]', 'innocent = "x"'),
        "value rule 'staff_number': innocent is a list of strings",
    ),
    "no examples": (
        VALUE_RULE.replace('examples = ["EMP-123456", "by EMP-654321."]', "examples = []"),
        "value rule 'staff_number': wants examples",
    ),
    "an action that there is not": (
        VALUE_RULE + 'action = "drop"\n',
        "value rule 'staff_number': action is one of redact, pseudonym",
    ),
    "a kind that no placeholder can have": (
        VALUE_RULE.replace('kind = "staff"', 'kind = "Staff No"'),
        "value rule 'staff_number': kind is of lower-case letters",
    ),
    "an unknown table": ("[[value_rule]]\n", "unknown table 'value_rule'; known:"),
    "a table that is none": ("value_rules = [1]\n", "value_rules are written [[value_rules]]"),
    "a text for a table": ('key_rules = "x"\n', "key_rules are written [[key_rules]]"),
    "a broken file": ("[parts\n", "line 1"),
    "a resource that is no list": ('[resource]\nallow = "all"\n', "[resource] has one field, allow"),
    "bank accounts of its own": ('[iban]\nXX = "8n"\n', "[iban] is the built-in policy's alone: write a value rule"),
    "a document that is too deep": (f"[parts]\nx = {'[' * 5000}{']' * 5000}\n", "nested too deep"),
    "a part that holds itself": (
        '[parts]\nown = "a<own>"\n' + VALUE_RULE.replace("EMP-", "<own>"),
        "holds itself",
    ),
}


@pytest.mark.parametrize(("content", "said"), WRONG.values(), ids=WRONG)
def test_wrong_policy_is_refused(policy_file: Path, content: str, said: str) -> None:
    """What is wrong in a policy file is said in one line with its place."""
    policy_file.write_text(content)
    with pytest.raises(PolicyError) as refusal:
        load(policy_file)
    line = str(refusal.value)
    assert said in line
    assert "\n" not in line
    if "another rule" not in said:
        assert line.startswith(str(policy_file))


def test_missing_file_is_said(tmp_path: Path) -> None:
    """A policy file that is not there is named."""
    with pytest.raises(PolicyError, match=r"none\.toml: No such file or directory"):
        load(tmp_path / "none.toml")
