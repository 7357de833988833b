"""Sentry's logs, metrics and spans of their own: a few fields and the application's attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telemetry.sentry.event import scrub_bag

if TYPE_CHECKING:
    from telemetry.pii import Item


def scrub_record(item: Item, record: dict[str, Any]) -> dict[str, Any]:
    """Give a log or a metric without what is sensitive.

    Args:
        item: the walk.
        record: as the SDK's hooks get it.
    """
    # Nanoseconds are no number of a card, though as long as one.
    time = {name: record[name] for name in ("time_unix_nano",) if name in record}
    told = _fields(item, {name: value for name, value in record.items() if name not in time})
    if "attributes" in record:
        told["attributes"] = scrub_bag(item, record["attributes"], "record.attributes")
    return {**told, **time}


def scrub_sent_record(item: Item, record: dict[str, Any]) -> dict[str, Any]:
    """Give a log, a metric or a span without what is sensitive.

    Args:
        item: the walk.
        record: as it goes into an envelope: each attribute's value together with its type.

    Raises:
        KeyError: an attribute has another form.
    """
    told: dict[str, Any] = {**_fields(item, record), "attributes": {}}
    for name, typed in (record.get("attributes") or {}).items():
        value = typed["value"]
        for key, scrubbed in scrub_bag(item, {name: value}, "record.attributes").items():
            kind = item.by_value(typed["type"], "record.attributes") if type(scrubbed) is type(value) else "string"
            told["attributes"][key] = {"value": scrubbed, "type": kind}
    return told


def _fields(item: Item, record: dict[str, Any]) -> dict[str, Any]:
    """Scrub what is the SDK's: its `name`, of a metric or a span, names no person."""
    return dict(item.by_value({name: value for name, value in record.items() if name != "attributes"}, "record"))
