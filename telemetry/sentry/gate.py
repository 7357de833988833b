"""The last thing before Sentry's wire: whatever comes, the envelope that leaves was built here."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from sentry_sdk import envelope as wire
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import HttpTransport
from sentry_sdk.utils import json_dumps

from telemetry.pii import Item
from telemetry.sentry.event import scrub_event
from telemetry.sentry.records import scrub_sent_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentry_sdk.consts import EndpointType

    from telemetry.losses import Lost
    from telemetry.pii import Sink

_LONGEST_ANSWER = 64 * 1024
_ID = re.compile("[0-9a-f]{32}")
_TIME = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]{1,9})?(?:Z|[+]00:00)")
_EVENTS = {"event": "application/json", "transaction": "application/json"}
_BATCHES = {
    "log": "application/vnd.sentry.items.log+json",
    "trace_metric": "application/vnd.sentry.items.trace-metric+json",
    "span": "application/vnd.sentry.items.span.v2+json",
}


class Gate(HttpTransport):
    """Sentry's transport, which sends nothing that it has not built anew.

    Args:
        options: the client's.
        sink: scrubs, and counts what it could not.
        lost: told of every envelope that did not arrive.
    """

    def __init__(self, options: dict[str, Any], sink: Sink, lost: Lost) -> None:
        super().__init__(options)
        self._sink = sink
        self._lost = lost

    def on_dropped_event(self, reason: str) -> None:
        """Count an envelope that Sentry did not take, or that found no place in the queue."""
        self._lost("sentry", "queue_full" if reason == "full_queue" else "export_failed", 1, reason)

    def _request(self, method: str, endpoint_type: EndpointType, body: Any, headers: Mapping[str, str]) -> Any:  # noqa: ANN401
        """Send, to this address alone, and read no more of the answer than an answer may be long."""
        url = self._auth.get_api_url(endpoint_type)
        response = self._pool.request(method, url, body=body, headers=headers, redirect=False, preload_content=False)
        response.read(_LONGEST_ANSWER)
        response.close()  # the client would read the rest, to say what was wrong
        return response

    def capture_envelope(self, envelope: Envelope) -> None:
        """Queue an envelope, scrubbed; drop and count it if that fails."""
        rebuilt = self._sink.scrub(self._rebuilt, envelope)
        if rebuilt is not None and rebuilt.items:
            super().capture_envelope(rebuilt)

    def _rebuilt(self, walk: Item, envelope: Envelope) -> Envelope:
        items = []
        for item in envelope.items:
            kind = item.headers.get("type")
            if kind in _EVENTS:
                items.append(_item(kind, _EVENTS[kind], scrub_event(walk, _content(item)), {}))
            elif kind in _BATCHES:
                records = [self._record(walk, record) for record in _content(item)["items"]]
                batch = {"version": 2, "items": records}
                items.append(_item(kind, _BATCHES[kind], batch, {"item_count": len(records)}))
            else:
                # Attachments, profiles, sessions, check-ins, reports, whatever comes: there is no form to scrub by.
                self._sink.refuse()
        return Envelope(self._headers(envelope.headers), items)

    def _record(self, walk: Item, record: dict[str, Any]) -> dict[str, Any]:
        # A walk of its own: budgets are one record's, not a whole batch's.
        own = Item(self._sink.scrubber)
        scrubbed = scrub_sent_record(own, record)
        walk.found += own.found
        return scrubbed

    def _headers(self, headers: dict[str, Any]) -> dict[str, Any]:
        """Give the headers that have their exact form; an untrusted client's baggage once stood among them."""
        told: dict[str, Any] = {
            name: value
            for name, form in (("event_id", _ID), ("sent_at", _TIME))
            if isinstance(value := headers.get(name), str) and form.fullmatch(value)
        }
        trace_id = (headers.get("trace") or {}).get("trace_id")
        if isinstance(trace_id, str) and _ID.fullmatch(trace_id) and self.parsed_dsn is not None:
            told["trace"] = {"trace_id": trace_id, "public_key": self.parsed_dsn.public_key}
        return told


def _content(item: wire.Item) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(item.payload.get_bytes()) if item.payload.json is None else item.payload.json


def _item(kind: str, content_type: str, content: dict[str, Any], headers: dict[str, Any]) -> wire.Item:
    # As bytes: nobody can change it any more, and what is no JSON fails here and not on the way.
    payload = wire.PayloadRef(bytes=json_dumps(content))
    return wire.Item(payload, headers, type=kind, content_type=content_type)
