"""A policy with rules of a user's own, which are unlike the built-in ones, on the real collector."""

from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from telemetry.collector.document import with_blocks
from telemetry.collector.rendering import blocks
from telemetry.pii import load
from tests.stack.collector import CONFIG, Collector
from tests.stack.values import pair, plain

ODD = Path(__file__).parents[1] / "collector" / "odd.toml"
EXPECTED = {
    "percent": ("at 1234%-5678.", "at [REDACTED:percent]."),
    "quote": ('at 1234"5678.', "at [REDACTED:quote]."),
    "quoted": ('a desk="ABC"', 'a [REDACTED:desk]"'),
    "server.address": ("DESK-123", "[REDACTED:desk]"),
    "desk.number": ("DESK-123", "DESK-123"),
    "city": ("in İzmir1", "in [REDACTED:dotted]"),
    "x": ("Ada", "[REDACTED:field]"),
    "PatientBlood": ("0+", "[REDACTED:field]"),
    "patient_blood": ("0+", "[REDACTED:field]"),
}


@pytest.fixture(scope="module")
def odd_collector(tmp_path_factory):
    """A collector that obeys such a policy."""
    folder = tmp_path_factory.mktemp("odd")
    config = folder / "otel-collector.yaml"
    config.write_text(with_blocks(CONFIG.read_text(), blocks(load(ODD).compiled)))
    with Collector(folder / "run", config) as running:
        yield running


def test_rules_of_ones_own_hit_in_the_collector_too(odd_collector):
    """Percent signs, quotes, capitals, single letters, exempt keys and keys that go: each as Python has it."""
    scrubber = load(ODD)
    for key, (before, after) in EXPECTED.items():
        request = ExportTraceServiceRequest()
        span = request.resource_spans.add().scope_spans.add().spans.add(name="x")
        # Alone, since one rule's gate may let another one through.
        span.attributes.extend([pair(key, before), pair("gone.key", "nobody sees this")])
        assert odd_collector.send("traces", request).status == 200
        (message,) = odd_collector.exported("traces")
        (told,) = message.resource_spans[0].scope_spans[0].spans
        rule = scrubber.compiled.key_rule(key)
        by_python = scrubber.text(before, key) if rule is None else scrubber.field(rule, before)
        assert {each.key: plain(each.value) for each in told.attributes} == {key: after} == {key: by_python}
