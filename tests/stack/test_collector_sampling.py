"""The second file, which keeps a share of the traces: none of those that somebody will look for is lost."""

import subprocess
import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.stack.binaries import binary
from tests.stack.collector import CONFIG, ROOT, Collector

SAMPLING = ROOT / "otel-collector.sampling.yaml"
SECONDS = 60.0
MILLISECOND = 1_000_000
# Name, how many, HTTP status, OTLP status, milliseconds.
KINDS = (("ok", 40, 200, 1, 12), ("refused", 5, 429, 0, 3), ("error", 5, 500, 2, 12), ("slow", 1, 200, 1, 1_500))


@pytest.fixture(scope="module")
def collector(tmp_path_factory):
    """A collector with both files, which keeps nothing of the rest."""
    folder = tmp_path_factory.mktemp("collector") / "run"
    with Collector(folder, more=[SAMPLING], spans_every="100ms", environment={"KEEP_PERCENT": "0"}) as running:
        yield running


def traces():
    """Give a request with a trace of one span for each."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "a"
    scope = resource.scope_spans.add()
    number = 0
    for name, how_many, http, status, milliseconds in KINDS:
        for _ in range(how_many):
            number += 1
            span = scope.spans.add(
                name=name,
                kind=2,
                trace_id=number.to_bytes(16, "big"),
                span_id=number.to_bytes(8, "big"),
                start_time_unix_nano=time.time_ns(),
                end_time_unix_nano=time.time_ns() + milliseconds * MILLISECOND,
            )
            span.status.code = status
            span.attributes.add(key="http.response.status_code").value.int_value = http
    return request


def test_errors_refused_and_slow_ones_are_kept_and_all_are_counted(collector):
    """Of 40 good traces, 5 refused, 5 with errors and a slow one the good ones alone are left out; 51 are counted."""
    assert collector.send("traces", traces()).status == 200
    kept, counted, deadline = [], {}, time.monotonic() + SECONDS
    while (len(kept) < 11 or sum(counted.values()) < 51) and time.monotonic() < deadline:
        kept += [
            span.name
            for message in collector.exported("traces")
            for resource in message.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        for message in collector.exported("spans"):
            counted.update(calls(message))
        # The outputs are files: they cannot be waited for.
        time.sleep(0.05)
    assert sorted(kept) == sorted(["refused"] * 5 + ["error"] * 5 + ["slow"])
    assert counted == {"ok": 40, "refused": 5, "error": 5, "slow": 1}


def calls(message):
    """Give the number of calls by the names of spans."""
    return {
        next(each.value.string_value for each in point.attributes if each.key == "span.name"): point.as_int
        for resource in message.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "traces.span.metrics.calls"
        for point in metric.sum.data_points
    }


@pytest.mark.parametrize("files", [[CONFIG], [CONFIG, SAMPLING]])
def test_the_files_are_valid(files, tmp_path):
    """The collector finds nothing wrong with the one file, nor with both."""
    command = [binary("otelcol"), "validate", *(f"--config={file}" for file in files)]
    done = subprocess.run(
        command, env={"OTELCOL_QUEUE_DIR": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
