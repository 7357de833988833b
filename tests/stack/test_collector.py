"""The harness: a real collector that tests send to and read from."""

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.stack.collector import Collector

STUB = __file__.replace("test_collector.py", "stub.yaml")


def spans(*names):
    """Give a request with a span for each name."""
    request = ExportTraceServiceRequest()
    scope = in_a_scope(request.resource_spans.add(), "scope_spans")
    for number, name in enumerate(names, 1):
        span = scope.spans.add(name=name, trace_id=bytes(15) + b"1", span_id=number.to_bytes(8, "big"))
        span.status.SetInParent()
    return request


def in_a_scope(resource, scopes):
    """Give a scope; the collector writes empty parts too."""
    resource.resource.SetInParent()
    scope = getattr(resource, scopes).add()
    scope.scope.SetInParent()
    return scope


def logs(body):
    """Give a request with a log record."""
    request = ExportLogsServiceRequest()
    in_a_scope(request.resource_logs.add(), "scope_logs").log_records.add().body.string_value = body
    return request


def metrics(name):
    """Give a request with a metric of one point."""
    request = ExportMetricsServiceRequest()
    metric = in_a_scope(request.resource_metrics.add(), "scope_metrics").metrics.add(name=name)
    metric.gauge.data_points.add(as_int=1)
    return request


@pytest.fixture(scope="module")
def collector(tmp_path_factory):
    """A collector that scrubs one address in the names of spans."""
    with Collector(tmp_path_factory.mktemp("collector") / "run", STUB) as running:
        yield running


@pytest.mark.parametrize(
    ("signal", "request_"), [("traces", spans("a", "b")), ("logs", logs("a")), ("metrics", metrics("a"))]
)
@pytest.mark.parametrize("compressed", [False, True])
def test_what_goes_in_comes_out(collector, signal, request_, compressed):
    """A request is answered 200, and by then the same message is in the output of its signal."""
    collector.exported(signal)
    assert collector.send(signal, request_, compressed=compressed).status == 200
    assert collector.exported(signal) == [request_]
    assert collector.exported(signal) == []


def test_rules_are_obeyed(collector):
    """The configuration's own statements are at work."""
    collector.exported("traces")
    collector.send("traces", spans("to bob@example.com"))
    assert collector.exported("traces") == [spans("to [REDACTED:email]")]
    assert b"[REDACTED:email]" in collector.raw("traces")


def test_rules_can_be_taken_away(tmp_path):
    """Without its rules the collector tells everything, and the harness sees it."""
    with Collector(tmp_path / "run", STUB, rules=False) as running:
        running.send("traces", spans("to bob@example.com"))
        assert running.exported("traces") == [spans("to bob@example.com")]


def test_a_bad_request_is_answered(collector):
    """What is no OTLP is refused, and the answer says so."""
    answer = collector.send("traces", b"\xff\xff\xff")
    assert answer.status == 400
    assert answer.body


def test_own_metrics_are_read(collector):
    """The collector's own metrics and memory are told."""
    before = collector.metric("otelcol_receiver_accepted_spans_total", receiver="otlp", transport="http")
    collector.send("traces", spans("a", "b", "c"))
    after = collector.metric("otelcol_receiver_accepted_spans_total", receiver="otlp", transport="http")
    assert after - before == 3
    assert 20 << 20 < collector.resident_bytes < 1 << 30


def test_it_ends_by_itself(tmp_path):
    """Leaving the harness ends the collector in good order, and what it said stays."""
    with Collector(tmp_path / "run", STUB) as running:
        assert running.status is None
    assert running.status == 0
    assert "Everything is ready" in running.said


def test_a_start_that_fails_says_why(tmp_path):
    """A configuration that is refused is an error with the collector's own words."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("receivers: {nonsense: {}}")
    with pytest.raises(RuntimeError, match="nonsense"), Collector(tmp_path / "run", broken):
        pass
