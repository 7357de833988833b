"""Which ways out of the SDK are open, whatever the environment says."""

import re
import urllib.request

import httpx
import pytest
import sentry_sdk
import sentry_sdk.logger

from telemetry.pii import Scrubber
from tests.patience import time_to_flush
from tests.sentry_endpoint import SentryEndpoint
from tests.telemetry.sentry import places
from tests.telemetry.sentry.conftest import NO_POLICY, Running, a_sentry, scrubber

PRIVATE = "ann@example.com"


def test_environment_opens_nothing(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """No SENTRY_* or proxy variable sends, prints or changes anything."""
    with SentryEndpoint() as other, time_to_flush():
        elsewhere = other.dsn.replace("key@", "")
        for name, value in {
            "SENTRY_DSN": other.dsn,
            "SENTRY_SPOTLIGHT": elsewhere,
            "SENTRY_RELEASE": "from-environment",
            "SENTRY_ENVIRONMENT": "from-environment",
            "SENTRY_DEBUG": "1",
            "SENTRY_KEEP_ALIVE": "1",
            "SENTRY_PRINT_ENVELOPES": "1",
            "SENTRY_TRACE": f"{'1' * 32}-{'2' * 16}-1",
            "SENTRY_BAGGAGE": f"sentry-trace_id={'1' * 32},sentry-user_id=from-environment",
            "HTTP_PROXY": elsewhere,
            "HTTPS_PROXY": elsewhere,
            "http_proxy": elsewhere,
            "ALL_PROXY": elsewhere,
        }.items():
            monkeypatch.setenv(name, value)
        with a_sentry(scrubber()) as running:
            sentry_sdk.add_breadcrumb(message=PRIVATE)
            sentry_sdk.capture_message("hello from-nobody")
            running.sentry.capture(ValueError(PRIVATE))
            sent = running.sent().decode()
        assert other.bodies() == []
    assert len(running.endpoint.payloads("event")) == 2
    assert "from-environment" not in sent
    assert PRIVATE not in sent
    assert capfd.readouterr() == ("", "")


def test_the_sdk_takes_nothing_up_by_itself(running: Running) -> None:
    """No integration, no personal data by default, no variables, no bodies, no sessions, no tracing, no Spotlight."""
    client = running.client
    assert client.integrations == {}
    assert client.should_send_default_pii() is False
    assert client.spotlight is None
    assert client.monitor is None
    assert client.span_batcher is None
    expected = {
        "include_local_variables": False,
        "include_source_context": False,
        "max_request_body_size": "never",
        "auto_session_tracking": False,
        "auto_enabling_integrations": False,
        "send_client_reports": False,
        "propagate_traces": False,
        "traces_sample_rate": None,
    }
    assert {name: client.options[name] for name in expected} == expected


def test_nothing_is_injected_into_outgoing_requests(running: Running) -> None:
    """Requests by httpx and urllib carry no `sentry-trace` and no `baggage`."""
    del running
    with SentryEndpoint() as peer, time_to_flush():
        url = peer.dsn.replace("key@", "")
        httpx.post(url, content=b"{}", trust_env=False)
        urllib.request.urlopen(urllib.request.Request(url, b"{}")).close()  # noqa: S310 - a loopback address
        found = [name for request in peer.requests() for name in request]
    assert len(peer.requests()) == 2
    assert {"sentry-trace", "baggage", "traceparent"}.isdisjoint(found)


def test_spans_of_the_sdk_are_not_sent(running: Running) -> None:
    """Transactions that an application starts with the SDK are not sampled: ours are made of OpenTelemetry's spans."""
    with (
        sentry_sdk.start_transaction(name=PRIVATE, op=PRIVATE),
        sentry_sdk.start_span(op="gen_ai.chat", name=PRIVATE) as span,
    ):
        span.set_data("gen_ai.request.messages", PRIVATE)
    assert running.sent() == b""


def harmless(running: Running) -> list[bytes]:
    """What is sent of an event with something harmless in every place, and of a transaction, a metric and a log."""
    numbers = iter(range(10_000))
    places.on_the_scope(lambda: f"plain text {next(numbers)}")
    sentry_sdk.set_user({"segment": "free"})
    sentry_sdk.set_context(
        "order", {"id": "0b6a3d0e-8d59-4c2f-9b7a-1f2e3d4c5b6a", "port": 8080, "ratio": 0.25, "x": None}
    )
    sentry_sdk.set_extra(
        "versions", {"python": "3.11.9", "build": 20261122, "ok": True, "none": None, "list": [1, "a"]}
    )
    sentry_sdk.add_breadcrumb(message="SELECT 1", category="query", data={"rows": 3, "bytes": b"ab", "set": {1}})
    running.sentry.capture(places.raised(lambda: f"plain text {next(numbers)}"))
    sentry_sdk.capture_event(places.a_transaction(lambda: f"plain text {next(numbers)}"))
    sentry_sdk.metrics.count("jobs.done", 2, unit="job", attributes={"queue": "default", "n": 3, "list": ["a"]})
    sentry_sdk.logger.info("job {n} done", n=3)
    running.sent()
    return [payload for _, items in running.endpoint.envelopes() for _, payload in items]


def test_what_is_harmless_is_left_as_it_was() -> None:
    """With nothing sensitive, events, transactions, metrics and logs are byte for byte those without any rule."""
    told = []
    for rules in (scrubber(), Scrubber(NO_POLICY)):
        with a_sentry(rules) as running:
            payloads = harmless(running)
            assert running.counts.redactions == {}
        ids = rb'"(?:event_id|trace_id|span_id|timestamp|sentry.timestamp.sequence)":(?:"[^"]*"|[0-9.]+|\{[^}]*\})'
        told.append([re.sub(ids, b"", payload) for payload in payloads])
    assert len(told[0]) == 4
    assert told[0] == told[1]
