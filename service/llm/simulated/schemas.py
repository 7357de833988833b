"""Values that a JSON Schema allows, as a model would make them up: required properties, within their bounds.

What JSON Schema has beyond that (`pattern`, `not`, `if`) is not looked at.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# A schema may refer to itself.
_DEEPEST = 12
_FORMATS = {
    "date": "2026-01-15",
    "date-time": "2026-01-15T09:00:00Z",
    "time": "09:00:00Z",
    "email": "someone@example.org",
    "uri": "https://example.org/",
}


@dataclass(frozen=True, slots=True)
class Filler:
    """Makes values.

    Args:
        root: the schema that references are looked up in.
        chance: decides what is free.
        words: what strings are made of; one at least.
        ids: what is named like an id is one of these, as long as there are some.
    """

    root: Mapping[str, Any]
    chance: random.Random
    words: Sequence[str]
    ids: Sequence[str]

    def fill(self, given: Any, name: str = "", depth: int = 0) -> Any:  # noqa: ANN401 - JSON
        """Give a value that the schema `given` allows, for the property `name`."""
        schema = self._resolved(given)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self.chance.choice(schema["enum"])
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((each for each in kind if each != "null"), "null")
        makers: Mapping[str, Callable[[], Any]] = {
            "array": lambda: self._array(schema, name, depth),
            "boolean": lambda: self.chance.choice((True, False)),
            "integer": lambda: self._integer(schema),
            "null": lambda: None,
            "number": lambda: self._number(schema),
            "object": lambda: self._object(schema, depth),
        }
        return None if depth > _DEEPEST else makers.get(kind, lambda: self._string(schema, name))()

    def _resolved(self, given: Any) -> Mapping[str, Any]:  # noqa: ANN401 - JSON
        schema: Mapping[str, Any] = given if isinstance(given, dict) else {}
        for _ in range(_DEEPEST):
            if isinstance(reference := schema.get("$ref"), str):
                found: Any = self.root
                for key in reference.removeprefix("#").strip("/").split("/"):
                    found = found.get(key, {}) if isinstance(found, dict) else {}
                schema = found if isinstance(found, dict) else {}
            elif options := schema.get("anyOf") or schema.get("oneOf"):
                schema = next((option for option in options if option.get("type") != "null"), {})
            elif parts := schema.get("allOf"):
                merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
                for part in parts:
                    merged.update(self._resolved(part))
                schema = merged
            else:
                break
        return schema

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        names = schema.get("required") or list(properties)
        return {name: self.fill(properties.get(name), name, depth + 1) for name in names}

    def _array(self, schema: Mapping[str, Any], name: str, depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        length = min(max(least, 3), schema.get("maxItems", max(least, 3)))
        items = self._resolved(schema.get("items"))
        if self.ids and _is_id(name) and items.get("type", "string") == "string" and "enum" not in items:
            return list(self.ids[: max(length, 1)])
        values = [self.fill(items, name.removesuffix("s"), depth + 1) for _ in range(length)]
        if schema.get("uniqueItems"):
            values = [value for index, value in enumerate(values) if value not in values[:index]]
        return values

    def _number(self, schema: Mapping[str, Any]) -> float:
        least, most = _bounds(schema)
        return float(least + (most - least) * self.chance.uniform(0.25, 0.75))

    def _integer(self, schema: Mapping[str, Any]) -> int:
        least, most = _bounds(schema)
        step = schema.get("multipleOf", 1)
        low = math.floor(least / step) + 1 if schema.get("exclusiveMinimum") == least else math.ceil(least / step)
        high = math.ceil(most / step) - 1 if schema.get("exclusiveMaximum") == most else math.floor(most / step)
        return int(self.chance.randint(low, max(low, high)) * step)

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        if schema.get("format") == "uuid":
            digits = f"{self.chance.getrandbits(128):032x}"
            return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
        if self.ids and _is_id(name):
            return self.chance.choice(self.ids)
        least, most = schema.get("minLength", 0), schema.get("maxLength", 200)
        text = " ".join(self.chance.sample(self.words, min(3, len(self.words))))
        while len(text) < least:
            text += " " + self.chance.choice(self.words)
        return text[:most]


def _bounds(schema: Mapping[str, Any]) -> tuple[float, float]:
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    if least is None:
        least = 1 if most is None else min(1, most - 10)
    return least, least + 10 if most is None else most


def _is_id(name: str) -> bool:
    return name in ("id", "ids") or name.endswith(("_id", "_ids"))
