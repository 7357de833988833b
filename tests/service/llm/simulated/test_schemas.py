"""Made-up values are what their schema allows."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.llm.simulated.schemas import Filler

WORDS = ("Python", "Berlin")


def _fill(schema: dict[str, Any], seed: int = 0) -> Any:
    return Filler(schema, random.Random(seed), WORDS, ()).fill(schema)


@given(st.integers(-1000, 1000), st.integers(0, 50), st.sampled_from(["integer", "number"]), st.integers(0, 99))
def test_numbers(least: int, width: int, kind: str, seed: int):
    """A number is within its bounds, both of them."""
    value = _fill({"type": kind, "minimum": least, "maximum": least + width}, seed)
    assert least <= value <= least + width
    assert isinstance(value, int if kind == "integer" else float)


@given(st.integers(-9, 9), st.integers(2, 9), st.integers(0, 99))
def test_exclusive_bounds(least: int, width: int, seed: int):
    """An exclusive bound is excluded."""
    assert (
        least
        < _fill({"type": "integer", "exclusiveMinimum": least, "exclusiveMaximum": least + width}, seed)
        < (least + width)
    )


@given(st.sampled_from([{"minimum": 5}, {"maximum": -20}, {"maximum": 3}, {"minimum": 7, "multipleOf": 5}, {}]))
def test_half_bounds(bounds: dict[str, int]):
    """One bound is enough."""
    value = _fill({"type": "integer", **bounds})
    assert bounds.get("minimum", value) <= value <= bounds.get("maximum", value)
    assert value % bounds.get("multipleOf", 1) == 0


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 99))
def test_strings(least: int, more: int, seed: int):
    """A string is as long as it must be, and no longer than it may."""
    assert least <= len(_fill({"type": "string", "minLength": least, "maxLength": least + more}, seed)) <= least + more


@given(st.integers(0, 6), st.integers(0, 6))
def test_arrays(least: int, more: int):
    """An array has as many items as it must, and no more than it may."""
    schema = {"type": "array", "items": {"type": "boolean"}, "minItems": least, "maxItems": least + more}
    value = _fill(schema)
    assert least <= len(value) <= least + more
    assert all(isinstance(item, bool) for item in value)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 3}, 3),
        ({"enum": ["only"]}, "only"),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"], "minimum": 2, "maximum": 2}, 2),
        ({"anyOf": [{"type": "null"}, {"const": "x"}]}, "x"),
        ({"$ref": "#/$defs/it", "$defs": {"it": {"const": 9}}}, 9),
        ({"allOf": [{"type": "integer"}, {"minimum": 4, "maximum": 4}]}, 4),
        ({"type": "object", "properties": {"a": {"const": 1}, "b": {}}, "required": ["a"]}, {"a": 1}),
        ({"type": "object"}, {}),
        ({"type": "string", "format": "date"}, "2026-01-15"),
    ],
)
def test_keywords(schema: dict[str, Any], value: Any):
    """Each keyword that is looked at."""
    assert _fill(schema) == value


def test_recursion():
    """A schema that refers to itself comes to an end."""
    node = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert isinstance(_fill(node), dict)
