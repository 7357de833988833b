"""Row 23: a redaction switch that misses one sink (litellm#36758)."""

import inspect

import pytest

from telemetry import Telemetry, names
from telemetry.pii import Scrubber
from tests.leaks.foreign import foreign
from tests.leaks.policies import scrub_nothing
from tests.leaks.real import real
from tests.leaks.wire import SINKS, listening, settings_for

EMAIL = "bob.smith4711@example.com"
BY_SINK = {"logs": "log_field", "otlp_logs": "log_field", "traces": "span_attribute", "sentry": "captured"}


async def tell(running) -> None:
    """Let each sink have the marker."""
    for place in sorted(set(BY_SINK.values())):
        await running.client.get(f"/put/{place}")
    await running.exported()
    await running.scrape()


async def test_row_23_one_policy_for_every_sink():
    """litellm#36758: the same text is hidden by the same rule in every sink, and each of them counts it."""
    with listening() as wire:
        async with foreign(wire, [EMAIL]) as running:
            await tell(running)
        registry = running.telemetry.metrics.registry
        for sink in SINKS:
            labels = {"rule": "email", "sink": sink}
            assert registry.get_sample_value(names.PII_REDACTIONS.name, labels) >= 1, sink
        assert wire.found([EMAIL]) == []


async def test_row_23_each_sink_would_tell(monkeypatch):
    """Without the policy each sink tells it: the test above looks at the right places."""
    scrub_nothing(monkeypatch)
    with listening() as wire:
        async with foreign(wire, [EMAIL]) as running:
            await tell(running)
        assert wire.sinks_with(EMAIL) == set(SINKS)


@pytest.mark.parametrize("sink", SINKS)
async def test_row_23_no_sink_fails_open(monkeypatch, sink):
    """A scrubber that raises closes every sink: what it could not look at is not sent by any."""

    def text(*_arguments, **_options):
        raise RuntimeError

    with listening() as wire:
        async with foreign(wire, [EMAIL]) as running:
            monkeypatch.setattr(Scrubber, "text", text)
            await running.client.get(f"/put/{BY_SINK[sink]}")
        assert running.failures(sink) >= 1
        assert wire.found([EMAIL]) == []


def test_row_23_there_is_no_switch():
    """No setting and no argument turns the policy off, and every sink that exists is known to the metrics."""
    with listening() as wire:
        settings = settings_for(wire)
    switches = {name for name in dir(settings) if "scrub" in name or "redact" in name}
    assert switches == set()
    assert list(inspect.signature(Telemetry).parameters) == ["settings"]
    assert set(Telemetry(settings).sinks) == set(names.PII_SINKS) == set(SINKS)


async def test_row_23_the_service_too(tmp_path):
    """One failing request with a marker everywhere: no sink of the real service has it, and all of them told of it."""
    headers = {"User-Agent": EMAIL, "Referer": f"https://x.example/{EMAIL}", "X-Request-ID": "078-05-1120"}
    with listening() as wire:
        async with real(wire, tmp_path) as running:
            answer = await running.client.get("/boom", params={"q": EMAIL}, headers=headers)
            await running.exported()
            await running.scrape()
        trace = answer.headers["traceresponse"].split("-")[1]
        assert wire.sinks_with(trace) >= set(SINKS)
        assert wire.found([EMAIL, "078-05-1120"]) == []
