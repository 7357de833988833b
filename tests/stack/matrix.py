"""Requests with a sensitive text in every field of OTLP, one field a resource, and what of it is told again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.leaks.corpus import Person
from tests.leaks.keyed import keyed, model_call, nested
from tests.leaks.search import OTLP, Search, fields
from tests.stack.collector import Collector
from tests.stack.fields import Path, put, texts, values
from tests.stack.values import around, value

# Python's own protobuf goes a hundred messages deep; a map in a map is three of them.
_DEEP = 30


@dataclass(frozen=True, slots=True)
class Placed:
    """Something in some field.

    Attributes:
        path: the field.
        shape: what it is a part of there.
        content: the text, or the value that holds it.
        key: the key of a value that has one.
    """

    path: Path
    shape: str
    content: str | AnyValue
    key: str = "note"

    def __str__(self) -> str:
        return f"{'.'.join(self.path)} ({self.shape}, {self.key})"


def everywhere(signal: str, text: str, turn: int = 0, step: int = 1) -> Iterator[Placed]:
    """Give a text in every field of a signal, alone and in values of every type.

    Args:
        signal: `traces`, `metrics` or `logs`.
        text: any.
        turn: with another number other types.
        step: of so many types one.
    """
    for path in texts(signal):
        yield Placed(path, "text", text)
    shapes = list((around(text) | {"very deep": value(_nested(text))}).items())
    for number, path in enumerate(values(signal)):
        yield Placed(path, "text", value(text))
        for shape, holding in shapes[(turn + number) % step :: step]:
            yield Placed(path, shape, holding)


def of_person(signal: str, person: Person) -> Iterator[Placed]:
    """Give what has no form, under keys that say what it is, in every field that holds a value."""
    told = keyed(person) | nested(person) | model_call(person)
    for path in values(signal):
        for key, content in told.items():
            # A body has no key of its own.
            held = value({key: content} if path[-1] == "body" else content)
            yield Placed(path, "person", held, key)
            yield Placed(path, "person in an array", value([{"a": 1}, {key: content}]))


def leaks(collector: Collector, signal: str, placed: Iterable[Placed], markers: Iterable[str]) -> list[str]:
    """Give where markers are found in what comes out when all this goes in; asserts that all of it comes out."""
    placed, search = list(placed), Search(markers)
    request = OTLP[f"/v1/{signal}"]()
    for each in placed:
        put(request, each.path, each.content, each.key)
    collector.exported(signal)
    answer = collector.send(signal, request)
    assert answer.status == 200, answer
    (message,) = collector.exported(signal)
    resources: list[Any] = list(getattr(message, placed[0].path[0]))
    assert len(resources) == len(placed)
    if not search.otlp(f"/v1/{signal}", message.SerializeToString()):
        return []
    return [
        f"{each}: {finding.marker!r} in {finding.around!r}"
        for each, resource in zip(placed, resources, strict=True)
        for finding in search.texts(signal, fields(resource))
    ]


def _nested(text: str) -> Any:
    deep: Any = text
    for level in range(_DEEP):
        deep = [deep] if level % 2 else {"a": deep}
    return deep
