"""What the collector does besides scrubbing: links, drift, health, length, metrics of spans, and its own digest."""

import time

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from telemetry import names
from telemetry.pii import read_policy
from tests.leaks.search import OTLP
from tests.stack.collector import Collector

LONGEST = 32_768
SECONDS = 60.0


@pytest.fixture(scope="module")
def collector(tmp_path_factory):
    """A collector that tells the metrics that are made of spans soon."""
    with Collector(tmp_path_factory.mktemp("collector") / "run", spans_every="100ms") as running:
        yield running


@pytest.fixture(scope="module")
def ours():
    """The digest of the project's policy."""
    return read_policy().digest


def request_of(*spans, **resource):
    """Give a request of spans, each told by its fields, with a resource's attributes."""
    request = ExportTraceServiceRequest()
    told = request.resource_spans.add()
    add(told.resource.attributes, resource)
    scope = told.scope_spans.add()
    for number, fields in enumerate(spans, 1):
        attributes = fields.pop("attributes", {})
        span = scope.spans.add(trace_id=bytes(15) + b"1", span_id=number.to_bytes(8, "big"), **fields)
        add(span.attributes, attributes)
    return request


def add(target, attributes):
    """Add texts to a message's attributes."""
    for key, value in attributes.items():
        target.add(key=key).value.string_value = value


def sent(collector, request):
    """Send spans and give the resource that came out, and its spans."""
    (resource,) = came(collector, "traces", request).resource_spans
    return resource.resource, [span for scope in resource.scope_spans for span in scope.spans]


def came(collector, signal, request):
    """Send a request and give what came out, with what the collector says of a resource by itself."""
    collector.skip(signal)
    assert collector.send(signal, request).status == 200
    return OTLP[f"/v1/{signal}"].FromString(collector.raw_since(signal))


def texts(attributes):
    """Give attributes as a dictionary of texts."""
    return {each.key: each.value.string_value for each in attributes}


def linked():
    """Give the fields of a span with a link."""
    return {"name": "linked", "links": [{"trace_id": bytes(15) + b"2", "span_id": bytes(7) + b"2"}]}


@pytest.mark.parametrize(
    ("said", "drift", "links"),
    [("ours", "same", 1), ("0" * 64, "different", 0), ("", "different", 0), (None, "unknown", 0)],
)
def test_drift_is_told_and_decides_on_links(collector, ours, said, drift, links):
    """A resource that has this policy's digest is `same` and keeps its spans' links; any other loses them."""
    digest = {} if said is None else {names.ATTR_PII_POLICY_DIGEST: ours if said == "ours" else said}
    resource, (span,) = sent(collector, request_of(linked(), **digest))
    assert texts(resource.attributes) == {**digest, names.ATTR_PII_POLICY_DRIFT: drift}
    assert len(span.links) == links


def test_nobody_says_that_there_is_no_drift(collector):
    """What a sender itself says of drift is replaced, and does not keep its links."""
    resource, (span,) = sent(collector, request_of(linked(), **{names.ATTR_PII_POLICY_DRIFT: "same"}))
    assert texts(resource.attributes) == {names.ATTR_PII_POLICY_DRIFT: "unknown"}
    assert not span.links


def test_drift_is_told_of_logs_and_metrics(collector):
    """The resources of log records and metrics say it too."""
    logs, metrics = ExportLogsServiceRequest(), ExportMetricsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "x"
    metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="m").gauge.data_points.add(as_int=1)
    for signal, request, field in (("logs", logs, "resource_logs"), ("metrics", metrics, "resource_metrics")):
        told = getattr(came(collector, signal, request), field)[0].resource.attributes
        assert texts(told) == {names.ATTR_PII_POLICY_DRIFT: "unknown"}


def test_its_own_metrics_carry_its_digest(collector, ours):
    """The collector's own metrics say which policy it was rendered from."""
    assert collector.metric("target_info", pii_policy_digest=ours, service_name="otelcol") == 1


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("key", ["http.route", "url.path"])
def test_questions_about_health_are_dropped(collector, path, key):
    """Spans of health checks are dropped, by route and by path; what only begins so stays."""
    asked = request_of({"name": "a", "attributes": {key: path}}, {"name": "b", "attributes": {key: f"{path}care"}})
    _, spans = sent(collector, asked)
    assert [span.name for span in spans] == ["b"]


def test_long_values_are_cut_after_they_were_scrubbed(collector):
    """A value of more than 32 KiB is cut, and what the cut would have halved was scrubbed before."""
    before = "x " * (LONGEST // 2 - 5)
    _, (span,) = sent(collector, request_of({"name": "a", "attributes": {"note": f"{before}bob@example.com {before}"}}))
    (cut,) = texts(span.attributes).values()
    assert len(cut) == LONGEST
    assert cut.removeprefix(before) == "[REDACTED:email]"[: LONGEST - len(before)]


def test_long_log_bodies_are_cut(collector):
    """The same of a log record's body, between characters and not within one."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "x" + "é" * LONGEST
    body = came(collector, "logs", request).resource_logs[0].scope_logs[0].log_records[0].body.string_value
    assert body == "x" + "é" * (LONGEST // 2 - 1)


def test_spans_are_counted(collector):
    """Every span is counted by its name, kind, status and route, and what the labels say is scrubbed."""
    name = "to bob@example.com"
    # The connector passes over resources without a service's name.
    spans = ({"name": name, "kind": 2, "attributes": {"http.route": "/jobs"}} for _ in range(7))
    sent(collector, request_of(*spans, **{"service.name": "a"}))
    deadline = time.monotonic() + SECONDS
    found = []
    while not found and time.monotonic() < deadline:
        found = [
            point
            for message in collector.exported("spans")
            for resource in message.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == "traces.span.metrics.calls"
            for point in metric.sum.data_points
            # Each series begins with a point that says 0.
            if point.as_int and texts(point.attributes)["span.name"] == "to [REDACTED:email]"
        ]
        # The output is a file: it cannot be waited for.
        time.sleep(0.02)
    assert found[0].as_int == 7
    assert texts(found[0].attributes).items() >= {"http.route": "/jobs", "span.kind": "SPAN_KIND_SERVER"}.items()
    assert b"bob@example.com" not in collector.raw("spans")
