"""Log events as OpenTelemetry log records, over a real wire."""

import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry._logs import SeverityNumber

from telemetry import Telemetry, TelemetrySettings, get_logger
from telemetry.log_records import LogRecords
from telemetry.pii import load
from telemetry.resource import resource
from telemetry.testing import Recorder
from tests.telemetry.receiver import Receiver, attributes, receiving
from tests.telemetry.test_logs import UNHOLDABLE

log = get_logger("shop.orders")


@pytest.fixture
def exported() -> Iterator[Any]:
    """A started telemetry with a receiver; `finish` stops it and gives (scope name, record) of what came."""
    with receiving() as receiver:
        telemetry = Telemetry(TelemetrySettings(service_name="shop", otlp_endpoint=receiver.url))
        recorder = Recorder(telemetry)
        telemetry.logs.start()
        telemetry.log_records.start()

        def finish() -> list[tuple[str, Any]]:
            telemetry.log_records.stop()
            return Receiver.logs.fget(receiver)  # type: ignore[attr-defined]

        yield SimpleNamespace(telemetry=telemetry, recorder=recorder, finish=finish, receiver=receiver)
        telemetry.log_records.stop()
        telemetry.logs.stop()


def test_event_is_a_record(exported: Any) -> None:
    """An event's name is body and event name, its logger the scope, its fields the attributes, with its ids."""
    with exported.telemetry.span("work") as span:
        log.warning("stock.low", item="chair", left=2, share=0.5, sold_out=False)
    ((scope, record),) = exported.finish()
    context = span.get_span_context()
    assert (scope, record.body.string_value, record.event_name) == ("shop.orders", "stock.low", "stock.low")
    assert (record.severity_text, record.severity_number) == ("warning", SeverityNumber.WARN.value)
    assert attributes(record) == {"item": "chair", "left": 2, "share": 0.5, "sold_out": False}
    assert record.trace_id == context.trace_id.to_bytes(16, "big")
    assert record.span_id == context.span_id.to_bytes(8, "big")
    assert record.time_unix_nano > 1_700_000_000 * 10**9


@pytest.mark.parametrize(("level", "number"), [("info", 9), ("warning", 13), ("error", 17), ("critical", 21)])
def test_severity_follows_the_level(exported: Any, level: str, number: int) -> None:
    """Each level has OpenTelemetry's number."""
    getattr(log, level)("note")
    assert [record.severity_number for _, record in exported.finish()] == [number]


def test_record_outside_a_span_has_no_ids(exported: Any) -> None:
    """Outside of any span a record has no trace id."""
    log.info("note")
    ((_, record),) = exported.finish()
    assert (record.trace_id, record.span_id) == (b"", b"")


def test_exception_has_its_attributes(exported: Any) -> None:
    """An exception is in the record by the semantic conventions, its frames without their variables."""
    secret = "the-local-secret"  # noqa: F841
    try:
        int("text")
    except ValueError:
        log.exception("failed")
    ((_, record),) = exported.finish()
    found = attributes(record)
    assert found["exception.type"] == "ValueError"
    assert found["exception.message"].startswith("invalid literal")
    assert "test_exception_has_its_attributes" in found["exception.stacktrace"]
    assert b"the-local-secret" not in record.SerializeToString()


def test_foreign_record_is_exported(exported: Any) -> None:
    """A record of `logging` is exported like an event of our own."""
    logging.getLogger("library").warning("could not %s", "write")
    ((scope, record),) = exported.finish()
    assert (scope, record.body.string_value) == ("library", "could not write")


@pytest.mark.parametrize("value", UNHOLDABLE.values(), ids=list(UNHOLDABLE))
def test_value_that_the_wire_cannot_hold_keeps_its_record(exported: Any, value: Any) -> None:
    """Whatever a value is, the record arrives with its other fields, and so does the batch around it."""
    log.info("before")
    log.info("odd", value=value, other="kept")
    log.info("after")
    records = exported.finish()
    assert [record.event_name for _, record in records] == ["before", "odd", "after"]
    assert attributes(records[1][1])["other"] == "kept"
    assert len(exported.recorder.lines) == 3


def test_name_that_the_wire_cannot_hold_keeps_its_batch(exported: Any) -> None:
    """A lone surrogate in the name of a logger, an event or a field is told escaped; nothing around it is lost."""
    log.info("before")
    get_logger("shop\ud800").info("odd\ud800", **{"field\ud800": 1})
    ((_, before), (scope, odd)) = exported.finish()
    assert before.event_name == "before"
    assert (scope, odd.event_name, attributes(odd)) == (r"shop\ud800", r"odd\ud800", {r"field\ud800": 1})


def test_runaway_value_is_cut(exported: Any) -> None:
    """A value of a megabyte does not fill a batch."""
    log.info("big", value="x" * 1_000_000)
    ((_, record),) = exported.finish()
    assert len(attributes(record)["value"]) <= 16_384


def test_resource_is_the_services() -> None:
    """Records carry the resource of their service."""
    sent: list[Any] = []
    settings = TelemetrySettings(service_name="shop", service_version="7")
    LogRecords(resource(settings, load()), sent.append, lambda: None).emit({"event": "note", "level": "info"})
    found = sent[0].resource.attributes
    assert (found["service.name"], found["service.version"]) == ("shop", "7")
