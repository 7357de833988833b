"""What gets through the gate before the wire, whatever the SDK or an application puts into an envelope."""

import json
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.crons import capture_checkin
from sentry_sdk.envelope import Envelope, Item, PayloadRef
from sentry_sdk.session import Session

from telemetry.sentry import event as event_room
from tests.telemetry.sentry.conftest import Running

PRIVATE = "ann@example.com"
PLAIN = {"event_id": "a" * 32, "message": "hello"}


def pass_gate(running: Running, headers: dict[str, Any], *items: Item) -> None:
    """Hand the transport an envelope, past every hook."""
    running.client.transport.capture_envelope(Envelope(headers, list(items)))


def event_item(event: dict[str, Any]) -> Item:
    """An item as the SDK makes it."""
    return Item(PayloadRef(json=event), type="event")


def test_headers_have_exact_forms(running: Running) -> None:
    """Of an envelope's headers only the event's id, the time and the trace's id are sent, each in its exact form."""
    trace = {
        "trace_id": "b" * 32, "public_key": PRIVATE, "user_id": PRIVATE, "transaction": PRIVATE, "release": PRIVATE,
        "environment": PRIVATE, "sample_rate": PRIVATE, "org_id": PRIVATE, PRIVATE: PRIVATE,
    }  # fmt: skip
    exact = {"event_id": "a" * 32, "sent_at": "2026-11-22T20:58:11.123456Z"}
    more = {"dsn": f"https://{PRIVATE}@h/1", "sdk": {"name": PRIVATE}, PRIVATE: 1}
    pass_gate(running, {**exact, "trace": trace, **more}, event_item(PLAIN))
    pass_gate(running, {"event_id": PRIVATE, "sent_at": PRIVATE, "trace": {"trace_id": PRIVATE}}, event_item(PLAIN))
    pass_gate(running, {"event_id": 4111111111111111, "sent_at": "2026-11-22T20:58:11Z\n"}, event_item(PLAIN))
    assert PRIVATE.encode() not in running.sent()
    headers = [headers for headers, _ in running.endpoint.envelopes()]
    assert headers == [{**exact, "trace": {"trace_id": "b" * 32, "public_key": "key"}}, {}, {}]


def test_item_headers_are_the_gates_own(running: Running) -> None:
    """An item's header says its type, its content type and its length, whatever it said before."""
    named = Item(
        PayloadRef(json=PLAIN), {PRIVATE: PRIVATE}, type="event", content_type=PRIVATE, filename=f"{PRIVATE}.json"
    )
    pass_gate(running, {}, named)
    assert PRIVATE.encode() not in running.sent()
    ((_, ((header, payload),)),) = running.endpoint.envelopes()
    assert header == {"type": "event", "content_type": "application/json", "length": len(payload)}


@pytest.mark.parametrize(
    "kind",
    ["attachment", "profile", "profile_chunk", "session", "sessions", "check_in", "client_report", "feedback",
     "replay_event", "statsd", "user_report", "invented", None, 7],
)  # fmt: skip
def test_other_items_are_dropped_and_counted(running: Running, kind: Any) -> None:
    """What has no form to scrub by is dropped and counted; the event beside it is sent."""
    pass_gate(running, {}, Item(PRIVATE.encode(), {"type": kind}), event_item(PLAIN))
    pass_gate(running, {}, Item(PRIVATE.encode(), {"type": kind}))
    assert PRIVATE.encode() not in running.sent()
    assert [[header["type"] for header, _ in items] for _, items in running.endpoint.envelopes()] == [["event"]]
    assert running.counts.failures == {"sentry": 2}


def test_the_sdks_other_ways_out_are_shut(running: Running) -> None:
    """Attachments, check-ins, sessions, profiles and lost-event reports of the SDK itself do not get through."""
    scope = sentry_sdk.get_isolation_scope()
    scope.add_attachment(bytes=PRIVATE.encode(), filename=f"{PRIVATE}.txt", add_to_transactions=True)
    sentry_sdk.capture_message("hello")
    capture_checkin(monitor_slug=PRIVATE, status="ok", monitor_config={"schedule": PRIVATE})
    session = Session(release="1", environment=PRIVATE, user={"id": PRIVATE})
    running.client.capture_session(session)
    session.close()
    running.client.capture_session(session)
    running.client.transport.record_lost_event(PRIVATE, data_category=PRIVATE)
    running.client.transport._flush_client_reports(force=True)
    assert PRIVATE.encode() not in running.sent()
    assert [[header["type"] for header, _ in items] for _, items in running.endpoint.envelopes()] == [["event"]]


def test_raw_payloads_are_scrubbed(running: Running) -> None:
    """An event that comes as bytes is read and scrubbed; bytes that are no JSON lose the envelope, counted."""
    raw = json.dumps({**PLAIN, "extra": {"note": PRIVATE}}).encode()
    pass_gate(running, {}, Item(raw, type="event"))
    for bad in (b"\xff\xfe", PRIVATE.encode(), b"[]", b'{"exception": 3}', b"[" * 100_000):
        pass_gate(running, {}, Item(bad, type="event"), event_item(PLAIN))
    sent = running.sent()
    assert PRIVATE.encode() not in sent
    assert len(running.endpoint.envelopes()) == 1
    assert running.counts.failures == {"sentry": 5}


def test_batches_of_another_form_are_not_sent(running: Running) -> None:
    """A log or metric item whose form is not known loses its envelope, counted."""
    for batch in ([{"body": PRIVATE}], {"version": 2}, {"version": 2, "items": [{"attributes": [PRIVATE]}]}):
        pass_gate(running, {}, Item(PayloadRef(json=batch), type="log"))
    assert running.sent() == b""
    assert running.counts.failures == {"sentry": 3}


def test_budgets_are_a_records_own(running: Running) -> None:
    """A full batch of harmless records is sent whole: what one record may hold is not shared by all of them."""
    attributes = {f"n{n}": n for n in range(40)}
    for n in range(1000):
        sentry_sdk.metrics.count(f"m{n}", 1, attributes=attributes)
    assert b"REDACTED" not in running.sent()
    assert sum(len(batch["items"]) for batch in running.endpoint.payloads("trace_metric")) == 1000


def test_attributes_keep_their_types(running: Running) -> None:
    """A scrubbed attribute is a string; the others keep value and type."""
    attributes = {
        "count": {"value": 3, "type": "integer"},
        "to": {"value": [PRIVATE], "type": "array"},
        "password": {"value": 5, "type": "integer"},
    }
    record = {"timestamp": 1790000000.5, "level": "info", "body": "b", "trace_id": "c" * 32, "attributes": attributes}
    pass_gate(running, {}, Item(PayloadRef(json={"version": 2, "items": [record]}), type="log"))
    running.sent()
    ((_, ((header, payload),)),) = running.endpoint.envelopes()
    sent = json.loads(payload)["items"][0]
    assert header["item_count"] == 1
    assert sent["attributes"]["count"] == attributes["count"]
    assert sent["attributes"]["password"] == {"value": "[REDACTED:field]", "type": "string"}
    assert sent["attributes"]["to"]["type"] == "array"
    assert {name: sent[name] for name in ("timestamp", "trace_id", "body")} == {
        name: record[name] for name in ("timestamp", "trace_id", "body")
    }


class Broken(Exception):
    """What a scrubber that fails raises."""


def test_a_scrubber_that_raises_sends_nothing(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """When scrubbing raises, no event, transaction, breadcrumb, log or metric is sent; each is counted."""

    def raises(*_args: Any, **_kwargs: Any) -> None:
        raise Broken(PRIVATE)

    for name in ("mapping", "by_value", "value", "text"):
        monkeypatch.setattr(f"telemetry.pii.Item.{name}", raises)
    sentry_sdk.add_breadcrumb(message=PRIVATE)
    sentry_sdk.capture_message(PRIVATE)
    running.sentry.capture(ValueError(PRIVATE))
    sentry_sdk.capture_event({"type": "transaction", "transaction": PRIVATE})
    sentry_sdk.metrics.count(PRIVATE, 1)
    pass_gate(running, {}, event_item(PLAIN))
    assert running.sent() == b""
    assert running.counts.failures == {"sentry": 6}


def test_a_breadcrumb_that_cannot_be_scrubbed_is_not_kept(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A breadcrumb whose scrubbing raised is on no event, while the event itself is sent."""
    scrub = event_room.scrub_bag
    with monkeypatch.context() as patch:
        patch.setattr("telemetry.sentry.event.scrub_bag", lambda *_args: 1 / 0)
        sentry_sdk.add_breadcrumb(message=PRIVATE, data={})
    assert event_room.scrub_bag is scrub
    sentry_sdk.capture_message("hello")
    running.sent()
    (event,) = running.endpoint.payloads("event")
    assert event["breadcrumbs"]["values"] == []
    assert running.counts.failures == {"sentry": 1}


def test_only_findings_of_our_own_pass(running: Running) -> None:
    """A context that an application calls `pii` is scrubbed like any other."""
    sentry_sdk.set_context("pii", {"redactions": [f"email@{PRIVATE}", PRIVATE], "password": "Ann Prose"})
    sentry_sdk.capture_message("hello")
    pass_gate(running, {}, event_item({**PLAIN, "contexts": {"pii": {"redactions": [PRIVATE]}}}))
    sent = running.sent()
    assert PRIVATE.encode() not in sent
    assert b"Prose" not in sent
