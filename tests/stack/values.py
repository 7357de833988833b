"""OTLP values of every type, around a text and by themselves; and what Python's side sees of them."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

EMPTY = AnyValue()


def value(plain: Any) -> AnyValue:
    """Give a value of the type that a Python object has; a list of `KeyValue` is a map, which may hold a key twice."""
    if plain is None:
        return AnyValue()
    if isinstance(plain, dict):
        return value([KeyValue(key=key, value=value(each)) for key, each in plain.items()] or KeyValueList())
    if isinstance(plain, KeyValueList):
        return AnyValue(kvlist_value=plain)
    if isinstance(plain, list) and plain and isinstance(plain[0], KeyValue):
        return AnyValue(kvlist_value=KeyValueList(values=plain))
    if isinstance(plain, (list, tuple)):
        return AnyValue(array_value=ArrayValue(values=map(value, plain)))
    names = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value", bytes: "bytes_value"}
    return AnyValue(**{names[type(plain)]: plain})


def pair(key: str, plain: Any) -> KeyValue:
    """Give an attribute."""
    return KeyValue(key=key, value=value(plain))


def plain(of: AnyValue) -> Any:
    """Give a value as Python's SDK has it; of a key that comes twice the last one."""
    kind = of.WhichOneof("value")
    if kind == "kvlist_value":
        return {each.key: plain(each.value) for each in of.kvlist_value.values}
    if kind == "array_value":
        return [plain(each) for each in of.array_value.values]
    return None if kind is None else getattr(of, kind)


SCALARS: dict[str, AnyValue] = {
    "text": value("x y"),
    "text of lines": value("a\nb\r\n\0c"),
    "empty text": value(""),
    "placeholder": value("[REDACTED:email]"),
    "pseudonym": value("[REDACTED:email:h0123456789abcdef]"),
    "more than a placeholder": value("[REDACTED:email] x"),
    "two placeholders": value("[REDACTED:email][REDACTED:email]"),
    "true": value(True),
    "false": value(False),
    "zero": value(0),
    "integer": value(-42),
    "largest integer": value(2**63 - 1),
    "double": value(1.5),
    "whole double": value(3.0),
    "not a number": value(float("nan")),
    "infinity": value(float("inf")),
    "nothing": EMPTY,
    "bytes": value(b"abc"),
    "no bytes": value(b""),
    "bytes of no text": value(b"\xff\xfe\x00"),
}
COMPOSITES: dict[str, AnyValue] = {
    "array": value(["a", 1, True, 1.5, None]),
    "empty array": value([]),
    "array of arrays": value([["a"], []]),
    "map": value({"a": "b", "n": 1, "t": True, "d": 1.5, "e": None}),
    "empty map": value({}),
    "map with an empty key": value({"": "a"}),
    "map with a key twice": value([pair("a", "b"), pair("a", 1)]),
    "nested": value({"a": [{"b": {"c": ["d", b"e", None]}}], "f": {}}),
}
EVERY = SCALARS | COMPOSITES


def opaque(held: AnyValue) -> bool:
    """Say whether the collector cannot look into a value, and does not tell it: bytes, a key that comes twice."""
    kind = held.WhichOneof("value")
    if kind == "bytes_value":
        return True
    if kind == "kvlist_value":
        pairs = held.kvlist_value.values
        return len({each.key for each in pairs}) < len(pairs) or any(opaque(each.value) for each in pairs)
    return kind == "array_value" and any(opaque(each) for each in held.array_value.values)


def around(text: str) -> dict[str, AnyValue]:
    """Give values of every type that may hold a text, each with the text in it somewhere."""
    data = text.encode()
    deep: Any = text
    for level in range(12):
        deep = [deep] if level % 2 else {"a": deep}
    return {
        "array": value([text]),
        "array among others": value(["a", 1, True, text, 1.5, None, "z"]),
        "array of arrays": value([[1], [text]]),
        "array of maps": value([{"a": "b"}, {"note": text}]),
        "map": value({"note": text}),
        "map among others": value({"a": "b", "note": text, "n": 1, "t": True}),
        "key of a map": value({text: 1}),
        "key of a nested map": value({"a": [{text: "b"}]}),
        "key twice": value([pair("note", text), pair("note", text), pair("note", 1)]),
        "key twice, an array and a text": value([pair("note", [text]), pair("note", "x")]),
        "key twice, a map and an empty map": value([pair("note", {"a": text}), pair("note", {})]),
        "key twice, in an array": value([[pair("note", text), pair("note", [])], "x"]),
        "key twice, where its path is another one's": value([pair("a.0", 1), pair("a", [text]), pair("a", "x")]),
        "key twice, and its map again twice": value(
            [pair("a", {"b": {}, text: {}}), pair("a", [pair("b", {}), pair("b", {})])]
        ),
        "map of maps": value({"a": {"b": {"c": text}}}),
        "deep": value(deep),
        "bytes": value(data),
        "bytes among others": value(b"\xff " + data),
        "array of bytes": value([data, b"a"]),
        "map of bytes": value({"note": data}),
        "nested bytes": value([{"a": [data]}]),
    }


def under(key: str, text: str) -> dict[str, AnyValue]:
    """Give maps that hold a text below a key."""
    return {
        "member": value({key: text}),
        "member among others": value({"a": 1, key: text, "z": "y"}),
        "member of a member": value({"a": {key: text}}),
        "member in an array": value([{"a": "b"}, {key: text}]),
        "array of a member": value({key: [text, 1]}),
        "map of a member": value({key: {"a": {"b": text}}}),
        "map of a member with a bracket in a text": value({key: {"a": "x}", "b": f"]{text}"}}),
        "array of a member with a bracket in a text": value({key: ["[x] a]", text]}),
        "map of a member with a bracket as a key": value({key: {"}": text}}),
        "map of a member of many levels": value({key: {"a": {"b": {"c": [{"d": text}]}}}}),
        "bytes of a member": value({key: text.encode()}),
        "member twice": value([pair(key, text), pair("a", "b"), pair(key, text)]),
    }
