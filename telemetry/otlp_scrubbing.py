"""Spans and log records by the privacy policy, on the exporters' threads and before anything is encoded.

A processor comes too late to change an ended span; what is supported is to export another one in its place.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, TraceState

from telemetry import names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord

    from telemetry.pii import Item

# How many findings a span tells of itself.
_TOLD = 50


def scrub_span(item: Item, span: ReadableSpan) -> ReadableSpan:
    """Give a span without what is sensitive, and with the rules that hit and where; a clean one is given itself.

    Args:
        item: the walk.
        span: has ended.
    """
    name = item.text(span.name, "name")
    # The SDK's mapping is slow to walk: a lock and two calls a key, but for its own `copy`.
    own: Any = span.attributes
    attributes = item.mapping(own.copy(), "attributes")
    events = _each(span.events, span.dropped_events, lambda event: _event(item, event))
    links = _each(span.links, span.dropped_links, lambda link: _link(item, link))
    status = _status(item, span)
    context = _context(item, span.context, "trace_state")
    scope = scrub_scope(item, span.instrumentation_scope)
    if not item.found and status is span.status:
        return span
    told = item.told
    return ReadableSpan(
        name=name,
        context=context,
        parent=span.parent,
        resource=span.resource,
        attributes=_counted(
            {**attributes, names.ATTR_PII_REDACTIONS: told[:_TOLD]} if told else attributes, span.dropped_attributes
        ),
        events=events,
        links=links,
        kind=span.kind,
        status=status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=scope,
    )


def _status(item: Item, span: ReadableSpan) -> Status:
    status = span.status
    if status.description is None:
        return status
    description = item.text(status.description, "status")
    for event in span.events:
        kind = str((event.attributes or {}).get("exception.type", ""))
        # The SDK puts the text of an exception behind its class, and that text may quote anything.
        if kind and description.startswith(f"{kind.rpartition('.')[2]}: "):
            description = kind
    return status if description == status.description else Status(status.status_code, description)


def scrub_record(item: Item, record: ReadableLogRecord) -> ReadableLogRecord:
    """Give a log record without what is sensitive; a clean one is given itself.

    Args:
        item: the walk.
        record: about to be sent.
    """
    log = record.log_record
    before: Any = log.attributes or {}
    body = item.value(log.body, "body")
    attributes = item.mapping(before, "attributes")
    event_name = None if log.event_name is None else item.text(log.event_name, "event_name")
    severity = None if log.severity_text is None else item.text(log.severity_text, "severity_text")
    scope = scrub_scope(item, record.instrumentation_scope)
    # Not only what a rule hit is another text: a lone surrogate, which the wire cannot hold, is escaped.
    changed = (
        body is not log.body
        or attributes is not before
        or event_name is not log.event_name
        or severity is not log.severity_text
        or scope is not record.instrumentation_scope
    )
    if not changed:
        return record
    scrubbed = copy.copy(log)
    scrubbed.body, scrubbed.attributes = body, attributes
    scrubbed.event_name, scrubbed.severity_text = event_name, severity
    return dataclasses.replace(record, log_record=scrubbed, instrumentation_scope=scope)


def scrub_scope(item: Item, scope: InstrumentationScope | None) -> InstrumentationScope | None:
    """Give an instrumentation scope without what is sensitive; a clean one is given itself.

    Args:
        item: the walk.
        scope: of a span or a log record.
    """
    if scope is None:
        return None
    name = item.text(scope.name, "scope.name")
    version = None if scope.version is None else item.text(scope.version, "scope.version")
    schema = None if scope.schema_url is None else item.text(scope.schema_url, "scope.schema_url")
    before = scope.attributes or None
    attributes = {} if before is None else item.mapping(dict(before), "scope.attributes")
    unchanged = (name, version, schema) == (scope.name, scope.version, scope.schema_url)
    if unchanged and (before is None or attributes == before):
        return scope
    return InstrumentationScope(name, version, schema, attributes)


def _attributes(item: Item, attributes: Mapping[str, Any] | None, where: str, dropped: int) -> Any:  # noqa: ANN401
    """Scrub attributes; what the SDK dropped of them stays counted."""
    if not attributes:
        return attributes
    # The SDK's own mappings are slow to walk, and clean whatever they are made of once more.
    return _counted(item.mapping(dict(attributes), where), dropped)


def _counted(attributes: Mapping[str, Any], dropped: int) -> Any:  # noqa: ANN401 - the SDK's loose mappings
    if not dropped:
        return attributes
    bounded = BoundedAttributes(None, dict(attributes), immutable=False)
    bounded.dropped = dropped
    return bounded


def _each(values: Sequence[Any], dropped: int, scrub: Any) -> Any:  # noqa: ANN401 - events or links
    if not values and not dropped:
        return ()
    scrubbed = [scrub(value) for value in values]
    bounded: Any = BoundedList.from_seq(None, scrubbed)
    bounded.dropped = dropped
    return bounded


def _event(item: Item, event: Event) -> Event:
    place = f"events.{item.text(event.name, 'events')}"
    attributes = _attributes(item, event.attributes, place, event.dropped_attributes)
    return Event(item.text(event.name, "events"), attributes, event.timestamp)


def _link(item: Item, link: Link) -> Link:
    context = _context(item, link.context, "links.trace_state")
    return Link(context or link.context, _attributes(item, link.attributes, "links", link.dropped_attributes))


def _context(item: Item, context: SpanContext | None, where: str) -> SpanContext | None:
    if context is None or not context.trace_state:
        return context
    state = item.mapping(context.trace_state, where)
    # A placeholder is no value by the grammar of the trace state: the whole member stays out.
    kept = [(key, value) for key, value in context.trace_state.items() if state.get(key) == value]
    if len(kept) == len(context.trace_state):
        return context
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags, TraceState(kept))
