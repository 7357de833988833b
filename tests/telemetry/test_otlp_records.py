"""Batches of log records as OTLP: the very bytes of the SDK's own encoder, whatever was logged."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import TraceFlags

from telemetry import TelemetrySettings
from telemetry.log_records import LogRecords
from telemetry.otlp_records import RecordExporter, encoded
from telemetry.otlp_scrubbing import scrub_record
from telemetry.pii import Item, load
from telemetry.resource import resource
from tests.telemetry.receiver import receiving

SCRUBBER = load()
RESOURCE = resource(TelemetrySettings(service_name="shop"), SCRUBBER)
TEXT = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates too
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
EVENT = st.fixed_dictionaries(
    {"event": VALUE, "level": st.sampled_from(["debug", "info", "error", "odd\ud800"])},
    optional={"logger": TEXT, "exc_info": st.builds(ValueError, TEXT), "value": VALUE},
)


@given(st.lists(st.tuples(EVENT, st.dictionaries(TEXT, VALUE, max_size=4)), min_size=1, max_size=4))
def test_bytes_are_those_of_the_sdks_encoder(events: list[Any]) -> None:
    """Whatever was logged, its batch is encoded, and is what the SDK would send of it."""
    made: list[Any] = []
    refused: list[None] = []
    records = LogRecords(RESOURCE, made.append, lambda: refused.append(None))
    for event, fields in events:
        records.emit({**fields, **event})
    batch = [scrub_record(Item(SCRUBBER), record) for record in made]
    assert (len(batch), refused) == (len(events), [])
    assert encoded(batch) == encode_logs(batch).SerializeToString()


def record(attributes: Any = None, scope: Any = None, **fields: Any) -> ReadableLogRecord:
    """A record of no pipeline."""
    log = LogRecord(attributes=attributes, **fields)
    return ReadableLogRecord(log, Resource({"a": [1, "b"]}, "of:resource"), scope)


@pytest.mark.parametrize(
    "batch",
    [
        [],
        [record()],
        [record(None, InstrumentationScope("s", "1", "of:scope", {"n": 1})), record({}, InstrumentationScope("t"))],
        [record({"none": None, "empty": [], "nothing": {}, "": "", "zero": 0, "no": False, "bytes": b"\0"})],
        [record(severity_number=SeverityNumber.WARN, severity_text="warn", body={"a": (1, None)}, event_name="e")],
        [record(timestamp=1, observed_timestamp=2, trace_id=3, span_id=4, trace_flags=TraceFlags(1))],
    ],
)  # fmt: skip
def test_what_is_empty_is_told_as_the_sdk_tells_it(batch: list[ReadableLogRecord]) -> None:
    """Empty and missing parts, groups by scope and every field of a record are in the bytes, or are not, as in its."""
    assert encoded(batch) == encode_logs(batch).SerializeToString()


def test_value_of_no_type_of_the_protocol_is_no_record() -> None:
    """Nothing is told of a value by its `repr`."""
    with pytest.raises(TypeError, match="object"):
        encoded([record({"value": object()})])


def test_exporter_that_has_ended_sends_nothing() -> None:
    """After its end an exporter sends no batch, and says so."""
    with receiving() as receiver:
        exporter = RecordExporter(endpoint=receiver.url)
        exporter.shutdown()
        assert exporter.export([record()]) is LogRecordExportResult.FAILURE
    assert receiver.posts == []


@pytest.mark.parametrize(("longest", "sent"), [(20, 0), (2_000, 1), (0, 1)])
def test_batch_beyond_the_limit_is_not_sent(longest: int, sent: int) -> None:
    """A request longer than the SDK's limit is not sent; a limit of 0 is none."""
    with receiving() as receiver:
        exporter = RecordExporter(endpoint=receiver.url, max_request_size=longest)
        result = exporter.export([record({"text": "x" * 100})])
        exporter.shutdown()
    assert (len(receiver.posts), result is LogRecordExportResult.SUCCESS) == (sent, bool(sent))
