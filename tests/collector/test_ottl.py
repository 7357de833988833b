"""OTTL and YAML as text: what the collector reads back is what was meant."""

import ast
import json

import pytest

from telemetry.collector.ottl import all_of, any_of, literal, replacement, where, with_context, yaml_scalar

TEXTS = [
    "",
    "plain",
    'a "quoted" one',
    "back\\slash\\\\es\\",
    "\\n is no line end, \n is",
    "\x00\x01\t\r\x1f\x7f",
    "$1 ${1} $$ $",
    "é \u2011 \u2028 \ufffd",
    "😀 \U0010ffff",
    "{}[]#: &*!|>'%@`",
    r"^(?:a|\[b\]){2}\b$",
]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", '""'),
        ("a b~", '"a b~"'),
        ('"', '"\\""'),
        ("\\", '"\\\\"'),
        ("\n\x00\x7f", '"\\x0a\\x00\\x7f"'),
        ("$1", '"$1"'),
        ("é\ufffd", '"\\u00e9\\ufffd"'),
        ("😀", '"\\U0001f600"'),
    ],
)
def test_literal(text: str, told: str) -> None:
    """A literal is of printable ASCII, with Go's escapes."""
    assert literal(text) == told


@pytest.mark.parametrize("text", TEXTS)
def test_literal_is_read_back(text: str) -> None:
    """Unescaped, a literal is the text; of Go's escapes Python has those that are used."""
    told = literal(text)
    assert ast.literal_eval(told) == text
    assert told.isascii()
    assert told.isprintable()


@pytest.mark.parametrize("text", TEXTS)
def test_yaml_scalar_is_read_back(text: str) -> None:
    """A statement comes through YAML as it was, and the collector finds no variable to expand in it."""
    statement = f'set(cache["a"], {literal(text)}) where body == "{text}"'
    scalar = yaml_scalar(statement)
    assert scalar.isascii()
    assert "\n" not in scalar
    read = json.loads(scalar)
    assert read.replace("$$", "") == statement.replace("$", "")
    assert read.replace("$$", "$") == statement


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("delete_key(attributes, key)", "delete_key(span.attributes, key)"),
        ('set(cache["a"], name) where status.message != ""',
         'set(span.cache["a"], span.name) where span.status.message != ""'),
        ('set(cache["name"]["body"], "cache name \\" body")', 'set(span.cache["name"]["body"], "cache name \\" body")'),
        ('set(resource.attributes["a"], links)', 'set(resource.attributes["a"], span.links)'),
        ('merge_maps(cache["a"], cache["b"], "upsert")', 'merge_maps(span.cache["a"], span.cache["b"], "upsert")'),
        ("limit(filtered_attributes, 5, [])", "limit(span.filtered_attributes, 5, [])"),
        ("flatten(metadata, depth=16)", "flatten(span.metadata, depth=16)"),
        ("Len(body) > 1 and IsString(body)", "Len(span.body) > 1 and IsString(span.body)"),
        ("Concat([name, version, schema_url, unit, description])",
         "Concat([span.name, span.version, span.schema_url, span.unit, span.description])"),
        ("set(trace_state, event_name) where severity_text == nil",
         "set(span.trace_state, span.event_name) where span.severity_text == nil"),
    ],
)  # fmt: skip
def test_every_path_gets_its_context(statement: str, told: str) -> None:
    """Paths without a context get one; functions, literals and what names another context stay as they are."""
    assert with_context("span", statement) == told


def test_replacement_keeps_groups() -> None:
    """The groups that are kept stand around the placeholder, in braces: a digit behind would be read as theirs."""
    assert replacement("[REDACTED:x]", (1,), (2,)) == "${1}[REDACTED:x]${2}"
    assert replacement("[REDACTED:x]", (), ()) == "[REDACTED:x]"
    assert replacement("0", (1, 2), (3, 10)) == "${1}${2}0${3}${10}"


def test_replacement_that_would_be_expanded_is_refused() -> None:
    """A placeholder with a dollar sign would bring back what was matched."""
    with pytest.raises(ValueError, match=r"^the placeholder \[REDACTED:\$0\] would be read as a group$"):
        replacement("[REDACTED:$0]", (1,), (2,))


def test_where_comes_first() -> None:
    """An added condition is asked before those that are there."""
    assert where("a == 1", "set(x, 1)") == "set(x, 1) where a == 1"
    assert where("a == 1", "set(x, 1) where b == 2") == "set(x, 1) where a == 1 and b == 2"
    assert where("a", where("b", "f()")) == "f() where a and b"


def test_conditions_are_joined() -> None:
    """Of several conditions one suffices in parentheses, so that all may be asked of them; one alone has none."""
    assert any_of(["a"]) == "a"
    assert any_of(each for each in ("a", "b")) == "(a or b)"
    assert all_of(["a"]) == "a"
    assert all_of([any_of(["a", "b"]), "c"]) == "(a or b) and c"
