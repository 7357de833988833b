"""Every field of OTLP that holds a text or a value, by the protocol's own description, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.leaks.search import OTLP

Path = tuple[str, ...]
"""Names of fields, from a request down."""

_VALUE, _PAIR = AnyValue.DESCRIPTOR.full_name, KeyValue.DESCRIPTOR.full_name
# OTTL has no path to the references that a resource makes to entities (a field in development).
UNREACHABLE = "entity_refs"
SIGNALS = ("traces", "metrics", "logs")


def texts(signal: str) -> list[Path]:
    """Give every field that holds a text, keys included."""
    return [path for path, is_value in _leaves(_request(signal)) if not is_value and UNREACHABLE not in path]


def values(signal: str) -> list[Path]:
    """Give every field that holds a value of any type."""
    return [path for path, is_value in _leaves(_request(signal)) if is_value]


def unreachable(signal: str) -> list[Path]:
    """Give the fields that no rule can reach."""
    return [path for path, _ in _leaves(_request(signal)) if UNREACHABLE in path]


def put(request: Any, path: Path, content: str | AnyValue, key: str = "note") -> None:
    """Put a text or a value into a request, in a span, record or metric of its own.

    Args:
        request: gets a resource more.
        path: of `texts` or `values`.
        content: a text, or for a field of `values` a value.
        key: the key of a value that has one.
    """
    holder = request
    for name in path[:-1]:
        field = holder.DESCRIPTOR.fields_by_name[name]
        holder = getattr(holder, name).add() if field.is_repeated else getattr(holder, name)
    if holder.DESCRIPTOR.full_name == _PAIR:
        holder.key, holder.value.string_value = key, "x"
    if isinstance(content, AnyValue):
        getattr(holder, path[-1]).CopyFrom(content)
    elif holder.DESCRIPTOR.fields_by_name[path[-1]].is_repeated:
        getattr(holder, path[-1]).append(content)
    else:
        setattr(holder, path[-1], content)
    _complete(getattr(request, path[0])[-1])


def _request(signal: str) -> Any:
    return OTLP[f"/v1/{signal}"].DESCRIPTOR


def _leaves(descriptor: Any, path: Path = ()) -> Iterator[tuple[Path, bool]]:
    for field in descriptor.fields:
        below = (*path, field.name)
        if field.type == field.TYPE_STRING:
            yield below, False
        elif field.type == field.TYPE_MESSAGE and field.message_type.full_name == _VALUE:
            yield below, True
        elif field.type == field.TYPE_MESSAGE:
            yield from _leaves(field.message_type, below)


def _complete(resource: Any) -> None:
    """A resource without a scope, and a scope without an item, may be left out as empty."""
    (scopes,) = (name for name in resource.DESCRIPTOR.fields_by_name if name.startswith("scope_"))
    scope = getattr(resource, scopes)[0] if getattr(resource, scopes) else getattr(resource, scopes).add()
    (items,) = {"spans", "metrics", "log_records"} & set(scope.DESCRIPTOR.fields_by_name)
    item = getattr(scope, items)[0] if getattr(scope, items) else getattr(scope, items).add()
    if items == "metrics" and item.WhichOneof("data") is None:
        item.gauge.data_points.add(as_int=1)
