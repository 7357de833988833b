"""Spans, log records and log lines by the privacy policy, on the wire of a real receiver."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags, TraceState

from telemetry import Telemetry, TelemetrySettings, get_logger, names
from telemetry.exceptions import MAX_TEXT_CHARS
from telemetry.otlp_scrubbing import scrub_span
from telemetry.pii import Item, load
from telemetry.testing import Recorder
from tests.telemetry.asgi import serving, watch
from tests.telemetry.receiver import attributes, receiving

log = get_logger("shop.orders")
MAIL = "bob@example.com"
CARD = "4111 1111 1111 1111"


@contextmanager
def exporting(**options: Any) -> Iterator[Any]:
    """A started telemetry with a receiver; `finish` stops it."""
    with receiving() as receiver:
        telemetry = Telemetry(TelemetrySettings(service_name="shop", otlp_endpoint=receiver.url, **options))
        recorder = Recorder(telemetry)
        telemetry.logs.start()
        telemetry.spans.start()
        telemetry.log_records.start()

        def finish() -> Any:
            telemetry.spans.stop()
            telemetry.log_records.stop()
            return receiver

        try:
            yield SimpleNamespace(telemetry=telemetry, recorder=recorder, finish=finish)
        finally:
            finish()
            telemetry.logs.stop()


def redacted(recorder: Recorder, rule: str, sink: str) -> float | None:
    """How often a rule hit in a sink."""
    return recorder.metric("pii_redactions_total", rule=rule, sink=sink)


def test_nothing_of_a_span_is_left_out() -> None:
    """Name, attributes, status, events, links, trace states and scope are scrubbed, and the span says by which rule."""
    with exporting() as started:
        linked = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
        tracer = started.telemetry.tracing.provider.get_tracer(f"of {MAIL}", "1", attributes={"owner": MAIL})
        with tracer.start_as_current_span(f"for {MAIL}", links=[Link(linked, {"card": CARD})]) as span:
            span.set_attribute("note", f"mail {MAIL}")
            span.set_attribute("many", ["a", CARD])
            span.set_attribute("harmless", "text")
            span.add_event(f"sent to {MAIL}", {"password": 5})
            span.set_status(Status(StatusCode.ERROR, f"no {CARD}"))
        (sent,) = started.finish().spans
    raw = str(sent)
    assert "bob" not in raw
    assert "4111" not in raw
    found = attributes(sent)
    assert (sent.name, found["note"], found["harmless"]) == ("for [REDACTED:email]", "mail [REDACTED:email]", "text")
    assert (sent.events[0].name, attributes(sent.events[0])) == (
        "sent to [REDACTED:email]",
        {"password": "[REDACTED:field]"},
    )
    assert sent.status.message == "no [REDACTED:credit_card]"
    assert {"email in name", "email in attributes.note", "credit_card in status"} <= set(found["pii.redactions"])
    assert redacted(started.recorder, "email", "traces") >= 4


def test_trace_state_loses_what_is_sensitive() -> None:
    """A member of a trace state that the policy would change is left out, of the span's own and of its links'."""
    state = TraceState([("vendor", "bob%40example.com"), ("other", "1")])
    context = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1), trace_state=state)
    span = scrub_span(Item(load()), ReadableSpan("work", context, links=[Link(context)]))
    assert [part.context.trace_state.to_header() for part in (span, *span.links)] == ["other=1", "other=1"]


def test_harmless_span_is_sent_itself() -> None:
    """A span in which nothing is sensitive is exported as it is, without a word of redactions."""
    with exporting() as started:
        with started.telemetry.span("work", **{"http.route": "/jobs/{job_id}", "n": 3, "share": 0.5, "ok": True}):
            pass
        (sent,) = started.finish().spans
    assert attributes(sent) == {"http.route": "/jobs/{job_id}", "n": 3, "share": 0.5, "ok": True}


def test_what_the_sdk_dropped_stays_counted() -> None:
    """A redacted span still says how many attributes and events were beyond the SDK's limits."""
    limits = SpanLimits(max_span_attributes=2, max_events=1)
    with exporting() as started:
        provider = TracerProvider(span_limits=limits, shutdown_on_exit=False)
        provider.add_span_processor(started.telemetry.spans)
        with provider.get_tracer("t").start_as_current_span("work", attributes={"a": 1, "b": 2, "c": MAIL}) as span:
            span.add_event("one", {"who": MAIL})
            span.add_event("two", {"who": MAIL})
        (sent,) = started.finish().spans
    assert (sent.dropped_attributes_count, sent.dropped_events_count) == (1, 1)
    assert attributes(sent.events[0]) == {"who": "[REDACTED:email]"}


def test_nothing_of_a_log_record_is_left_out() -> None:
    """Body, event name, attributes, exception and scope of a log record are scrubbed, and so is its line."""
    with exporting() as started:
        failure = ValueError(f"no {MAIL}")
        more = {"note": CARD, "nested": {"cv_content": "prose", "n": [MAIL]}}
        get_logger(f"of {MAIL}").error(f"for {MAIL}", exc_info=failure, **more)
        ((scope, record),) = started.finish().logs
    line = json.dumps(started.recorder.lines)
    for told in (str(record), scope, line):
        assert "bob" not in told
        assert "4111" not in told
        assert "prose" not in told
    assert record.event_name == "for [REDACTED:email]"
    assert attributes(record)["exception.message"] == "no [REDACTED:email]"
    assert redacted(started.recorder, "email", "logs") >= 4
    assert redacted(started.recorder, "personal_field", "otlp_logs") == 1


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_item_that_cannot_be_scrubbed_is_not_sent(monkeypatch: pytest.MonkeyPatch, log_format: str) -> None:
    """When scrubbing raises, that item is lost and counted, once a minute said, and the caller knows nothing of it."""
    with exporting(log_format=log_format) as started:
        whole = Item.mapping

        def fails(item: Item, values: Any, where: str, depth: int = 0) -> Any:
            if "trap" in values:
                raise RuntimeError(MAIL)
            return whole(item, values, where, depth)

        monkeypatch.setattr(Item, "mapping", fails)
        for _ in range(3):
            log.info("lost", trap=MAIL)
            with started.telemetry.span("lost", trap=MAIL):
                pass
        log.info("kept")
        receiver = started.finish()
        texts = b"".join(started.recorder.raw_lines)
    sent = [record.event_name for _, record in receiver.logs]
    assert (sent.count("kept"), sent.count("lost"), set(sent)) == (1, 0, {"kept", "pii.scrub.failed"})
    assert receiver.spans == []
    assert (texts.count(b"lost"), texts.count(b"pii.scrub.failed"), texts.count(b"kept")) == (0, 3, 1)
    assert MAIL.encode() not in texts
    counts = [started.recorder.metric("pii_scrub_failures_total", sink=sink) for sink in names.PII_SINKS]
    assert counts == [3, 3, 3, 0]


def test_half_of_what_was_cut_stays_out() -> None:
    """A text that was cut at the limit loses its end, in which half a card number may stand."""
    digits = CARD.replace(" ", "")
    text = f"{'x ' * ((MAX_TEXT_CHARS - 12) // 2)}{digits}{digits}"
    with exporting() as started:
        with started.telemetry.span("work", note=text):
            log.info("note", note=text)
        receiver = started.finish()
    for sent in (attributes(receiver.spans[0])["note"], attributes(receiver.logs[0][1])["note"]):
        assert "4111" not in sent
        assert len(sent) > MAX_TEXT_CHARS / 2


async def test_query_says_its_names() -> None:
    """Of a query string the names are told, and the values of `limit` and `cursor` only."""
    app = FastAPI()

    @app.get("/jobs")
    async def jobs() -> None:
        return None

    with receiving() as receiver:
        watch(app, otlp_endpoint=receiver.url)
        async with serving(app) as served:
            await served.get("/jobs?limit=20&q=what+somebody+wants&cursor=abc&alone&empty=")
    (sent,) = receiver.spans
    assert attributes(sent)["url.query"] == ("limit=20&q=[REDACTED:query]&cursor=abc&[REDACTED:query]&empty=")


async def test_client_is_a_pseudonym() -> None:
    """A client's address is the same pseudonym on all its spans, and another one's is another."""
    app = FastAPI()
    with receiving() as receiver:
        watch(app, otlp_endpoint=receiver.url, pseudonym_key=b"k" * 32)
        async with serving(app) as served:
            for peer in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
                await served.get("/", peer=peer)
    first, second, third = (attributes(span)["client.address"] for span in receiver.spans)
    assert first == second != third
    assert first.startswith("[REDACTED:ip:h")


@pytest.mark.parametrize("offered", ["4111111111111111", "192.0.2.17", "AKIAIOSFODNN7EXAMPLE"])
async def test_request_id_that_says_too_much_is_not_taken(offered: str) -> None:
    """An offered request id that the policy would change is replaced everywhere, response included."""
    app = FastAPI()
    _, recorder = watch(app)
    async with serving(app) as served:
        answer = await served.get("/", headers=[(b"x-request-id", offered.encode())])
        harmless = await served.get("/", headers=[(b"x-request-id", b"order-77.retry_2")])
    assert answer.header("x-request-id").startswith("req_")
    assert harmless.header("x-request-id") == "order-77.retry_2"
    assert offered not in b"".join(recorder.raw_lines).decode()


def test_policy_in_force_is_named() -> None:
    """The digest of the policy is a resource attribute and the label of an information metric."""
    telemetry = Telemetry(TelemetrySettings(service_name="shop"))
    digest = telemetry.scrubber.policy.digest
    assert telemetry.tracing.provider.resource.attributes["pii.policy.digest"] == digest
    assert telemetry.metrics.registry.get_sample_value("pii_policy_info", {"digest": digest}) == 1


def test_span_that_fails_says_what_may_be_told() -> None:
    """A span that is left by an exception, or records one, has its class as status and no quotation in its event."""
    with exporting() as started:
        tracer = started.telemetry.tracing.provider.get_tracer("of the application")
        error = sqlite3.IntegrityError("Ada Lovelace is there")
        with suppress(sqlite3.Error), tracer.start_as_current_span("left"):
            raise error
        with started.telemetry.span("recorded") as span:
            span.record_exception(error, {"attempt": 2})
        left, recorded = started.finish().spans
    assert "Lovelace" not in str((left, recorded))
    assert left.status.message == "IntegrityError"
    assert attributes(left.events[0])["exception.message"] == "no code"
    assert attributes(recorded.events[0])["attempt"] == 2
