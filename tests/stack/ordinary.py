"""Messages that hold nothing to hide and have something in every field of OTLP, as sent by a service that scrubs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from telemetry import names
from telemetry.pii import read_policy
from tests.leaks.search import OTLP
from tests.stack.values import EVERY, opaque, pair

_VALUE, _PAIR = AnyValue.DESCRIPTOR.full_name, KeyValue.DESCRIPTOR.full_name
_SIZES = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}
# Of these the collector gives what it was given, if it is of the protocol.
_KNOWN = {"trace_state": "vendor=a1,other=b-2", "schema_url": "https://opentelemetry.io/schemas/1.37.0"}
_EACH = 2
_VALUES = {name: each for name, each in EVERY.items() if not opaque(each)}
SEMANTIC: dict[str, Any] = {
    "service.name": "jobs", "service.version": "1.4.2", "service.instance.id": "627cc493-f310-47de-96bd-71410b7dec09",
    "telemetry.sdk.language": "python", "telemetry.sdk.version": "1.45.1", "process.pid": 4711,
    "host.name": "worker-3", "host.ip": ["10.0.0.7", "fd00::7"], "server.address": "10.0.0.5", "server.port": 8443,
    "http.request.method": "GET", "http.response.status_code": 200, "http.route": "/api/v1/jobs/{job_id}",
    "url.path": "/api/v1/jobs/job_0a1b2c3d", "url.scheme": "https", "network.protocol.version": "1.1",
    "network.local.address": "10.0.0.6", "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0",
    "db.system.name": "postgresql", "db.query.text": "SELECT id, title FROM jobs WHERE id = ?",
    "db.collection.name": "jobs", "error.type": "TimeoutError", "thread.name": "MainThread",
    "exception.type": "sqlalchemy.exc.OperationalError", "code.function.name": "service.jobs.search",
    "gen_ai.request.model": "claude-sonnet-4-5", "gen_ai.usage.input_tokens": 1234,
    "gen_ai.request.temperature": 0.2, "gen_ai.response.finish_reasons": ["end_turn"],
    "messaging.batch.message_count": 3, "request_id": f"req_{'0a' * 16}", "feature.enabled": True,
    "duration_ms": 12.25, "notes": ["a", "b"], "counts": [1, 2, 3], "flags": [True, False], "none": None,
    "tree": {"a": {"b": [1, {"c": "d"}]}, "e": 2.5}, "text": "cannot connect\nretrying",
}  # fmt: skip


def full(signal: str) -> Iterator[Any]:
    """Give requests with something in every field, and between them with every case of each choice.

    Args:
        signal: `traces`, `metrics` or `logs`.
    """
    for case in range(len(_VALUES)):
        request = OTLP[f"/v1/{signal}"]()
        _fill(request, case, count(1))
        for resource in getattr(request, request.DESCRIPTOR.fields[0].name):
            # Of a resource that says so the links are scrubbed, too.
            resource.resource.attributes.append(pair(names.ATTR_PII_POLICY_DIGEST, read_policy().digest))
        yield request


def _fill(message: Any, case: int, numbers: Any) -> None:
    if message.DESCRIPTOR.full_name == _VALUE:
        message.CopyFrom(list(_VALUES.values())[(case + next(numbers)) % len(_VALUES)])
        return
    chosen = {choice.name: choice.fields[case % len(choice.fields)].name for choice in message.DESCRIPTOR.oneofs}
    for field in message.DESCRIPTOR.fields:
        choice = field.containing_oneof
        if field.name.endswith("_strindex") or (choice is not None and chosen[choice.name] != field.name):
            continue
        if field.type == field.TYPE_MESSAGE:
            for _ in range(_EACH if field.is_repeated else 1):
                holder = getattr(message, field.name).add() if field.is_repeated else getattr(message, field.name)
                holder.SetInParent()
                _fill(holder, case, numbers)
        elif field.is_repeated:
            getattr(message, field.name).extend([_scalar(field, numbers), _scalar(field, numbers)])
        else:
            setattr(message, field.name, _scalar(field, numbers))
    if message.DESCRIPTOR.full_name == _PAIR:
        message.key = f"key.{next(numbers)}"


def _scalar(field: Any, numbers: Any) -> Any:
    number = next(numbers)
    if field.type == field.TYPE_STRING:
        return _KNOWN.get(field.name, f"ordinary {field.name} {number}")
    if field.type == field.TYPE_BYTES:
        return number.to_bytes(_SIZES[field.name], "big")
    if field.type == field.TYPE_ENUM:
        return field.enum_type.values[-1].number
    if field.type == field.TYPE_BOOL:
        return True
    return number + 0.5 if field.type in {field.TYPE_DOUBLE, field.TYPE_FLOAT} else number


def semantic(signal: str) -> Any:
    """Give a request whose attributes are what services say, everywhere."""
    request = next(full(signal))
    for attributes in _attributes(request):
        del attributes[:]
        attributes.extend([pair(key, each) for key, each in SEMANTIC.items()])
    for resource in getattr(request, request.DESCRIPTOR.fields[0].name):
        resource.resource.attributes.append(pair(names.ATTR_PII_POLICY_DIGEST, read_policy().digest))
    return request


def _attributes(message: Any) -> Iterator[Any]:
    for field, content in message.ListFields():
        if field.type != field.TYPE_MESSAGE or field.message_type.full_name == _VALUE:
            continue
        if field.message_type.full_name == _PAIR:
            yield content
        else:
            for each in content if field.is_repeated else (content,):
                yield from _attributes(each)


def sorted_attributes(message: Any) -> Any:
    """Give a message with the attributes of each part in the order of their keys: theirs says nothing."""
    ordered = type(message).FromString(message.SerializeToString())
    for attributes in _attributes(ordered):
        attributes.sort(key=lambda each: each.key)
    return ordered
