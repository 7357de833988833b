"""Export of spans and log records: bounded, counted, on time."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from telemetry import Telemetry, TelemetrySettings, get_logger, names
from telemetry.export import QUEUE_CAPACITY, Gate
from telemetry.losses import Losses
from telemetry.metrics import Metrics
from telemetry.otlp import OtlpSession
from telemetry.testing import Recorder
from tests.patience import PATIENCE
from tests.telemetry.asgi import serving, watch
from tests.telemetry.receiver import exporter_threads, receiving, silent_endpoint

log = get_logger("export.test")
# A flush ends after a second, and a stop hardly later: `benchmarks.shutdown` measures it. Here the machine may stand
# still meanwhile.
BOUND = 1 + 29
REASONS = names.DROP_REASONS


def make_app() -> FastAPI:
    """An app with one route."""
    app = FastAPI()

    @app.get("/hello")
    async def hello() -> str:
        return "x"

    return app


def dropped(recorder: Recorder, signal: str) -> dict[str, float | None]:
    """The counted losses of a signal by reason."""
    name = "telemetry_dropped_items_total"
    return {reason: recorder.metric(name, signal=signal, reason=reason) for reason in REASONS}


def losses_of(**counts: int) -> dict[str, int]:
    """The counts by reason; 0 where none is given."""
    return dict.fromkeys(REASONS, 0) | counts


@pytest.fixture
def metrics() -> Metrics:
    """A registry."""
    return Metrics(TelemetrySettings(service_name="test"))


async def test_nothing_is_lost_with_a_living_endpoint() -> None:
    """With an endpoint that lives every span and record has come by the end of the stop; nothing is counted lost."""
    app = make_app()
    with receiving() as receiver:
        _, recorder = watch(app, otlp_endpoint=receiver.url)
        async with serving(app) as served:
            answers = [await served.get("/hello") for _ in range(50)]
    traces = sorted(answer.trace_id for answer in answers)
    assert sorted(span.trace_id.hex() for span in receiver.spans) == traces
    access = [record for _, record in receiver.logs if record.event_name == "http.request.completed"]
    assert sorted(record.trace_id.hex() for record in access) == traces
    for signal in names.SIGNALS:
        assert dropped(recorder, signal) == dict.fromkeys(REASONS, 0)
        assert recorder.metric("telemetry_queue_size", signal=signal) == 0


async def test_headers_are_sent() -> None:
    """The configured headers are sent with each export, as protobuf, to the signals' own paths."""
    app = make_app()
    with receiving() as receiver:
        watch(app, otlp_endpoint=receiver.url + "/", otlp_headers={"authorization": "Basic abc"})
        async with serving(app) as served:
            await served.get("/hello")
    assert {path for path, _, _ in receiver.posts} == {"/v1/traces", "/v1/logs"}
    for _, headers, _ in receiver.posts:
        assert (headers["authorization"], headers["content-type"]) == ("Basic abc", "application/x-protobuf")


async def test_exporters_ignore_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_* variables of the environment send nothing anywhere when no endpoint is set."""
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", receiver.url)
        app = make_app()
        watch(app)
        async with serving(app) as served:
            await served.get("/hello")
    assert receiver.posts == []


async def test_refused_exports_are_counted() -> None:
    """What an endpoint refuses is counted as `export_failed`, span by span and record by record."""
    app = make_app()
    with receiving(status=400) as receiver:
        _, recorder = watch(app, otlp_endpoint=receiver.url)
        async with serving(app) as served:
            for _ in range(7):
                await served.get("/hello")
    assert dropped(recorder, "traces") == losses_of(export_failed=7)
    assert dropped(recorder, "logs")["export_failed"] >= 7
    lines = [line for line in recorder.events("telemetry.export.failed") if line["reason"] == "export_failed"]
    assert {line["cause"] for line in lines} == {"HTTP 400"}


def test_who_is_not_there_is_told() -> None:
    """An attempt that failed is known by what it failed of, not by what that was wrapped in."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        session = OtlpSession("traces")
        with pytest.raises(requests.ConnectionError):
            session.post(f"http://127.0.0.1:{nobody.getsockname()[1]}/v1/traces", b"")
    assert session.cause == "ConnectionRefusedError"


def test_what_is_given_up_says_why(losses: tuple[Losses, list[float], Recorder]) -> None:
    """The loss of what a stop did not wait for says what the last attempt failed of."""
    told, _, recorder = losses
    gate = Gate("traces", told.lost)
    assert gate.admit()
    assert gate.abandon("HTTP 503") == 1
    (line,) = recorder.events("telemetry.export.failed")
    assert (line["reason"], line["cause"]) == ("shutdown", "HTTP 503")


HTML = {"content-type": "text/html"}
PROTOBUF = {"content-type": "application/x-protobuf"}


@pytest.mark.parametrize(
    ("status", "headers", "answer"),
    [
        (301, {"location": "/elsewhere"}, b""),
        (304, {}, b""),
        (200, HTML, b"<html>Sign in to the network</html>"),
        (200, HTML, b""),
        (200, {}, b"hello"),
        (200, {"content-type": "application/json"}, b"{}"),
        (200, PROTOBUF, b"\xff\xff"),
        (200, PROTOBUF | {"content-length": "1000000000"}, b"\x00" * 100_000),
    ],
)
async def test_what_is_no_acknowledgement_is_a_loss(status: int, headers: dict[str, str], answer: bytes) -> None:
    """Anything but a 2xx that is empty or an OTLP response is counted as `export_failed` (OTLP/HTTP response)."""
    app = make_app()
    with receiving(status=status) as receiver:
        receiver.answer_headers, receiver.answer = headers, answer
        _, recorder = watch(app, otlp_endpoint=receiver.url)
        async with serving(app) as served:
            for _ in range(3):
                await served.get("/hello")
    assert dropped(recorder, "traces") == losses_of(export_failed=3)
    assert (dropped(recorder, "logs")["export_failed"] or 0) >= 3


@pytest.mark.parametrize(("status", "headers"), [(200, PROTOBUF), (204, {}), (202, {})])
async def test_empty_acknowledgements_are_no_loss(status: int, headers: dict[str, str]) -> None:
    """An empty 2xx says that everything was taken."""
    app = make_app()
    with receiving(status=status) as receiver:
        receiver.answer_headers = headers
        _, recorder = watch(app, otlp_endpoint=receiver.url)
        async with serving(app) as served:
            await served.get("/hello")
    assert dropped(recorder, "traces") == losses_of()


async def test_redirects_are_not_followed() -> None:
    """Telemetry goes to the endpoint and nowhere else, wherever the endpoint points."""
    app = make_app()
    with receiving(status=307) as receiver, receiving() as other:
        receiver.answer_headers = {"location": other.url + "/v1/traces"}
        watch(app, otlp_endpoint=receiver.url)
        async with serving(app) as served:
            await served.get("/hello")
    assert receiver.posts
    assert other.posts == []


@pytest.mark.parametrize(("told", "counted"), [(2, 2), (0, 0), (-1, 0), (2**62, 3)])
async def test_rejected_items_are_counted(told: int, counted: int) -> None:
    """What an endpoint rejects of a batch that it takes is counted as `rejected`, at most the whole batch."""
    app = make_app()
    answer = ExportTraceServiceResponse(partial_success={"rejected_spans": told, "error_message": "no"})
    with receiving() as receiver:
        receiver.answer_headers, receiver.answer = PROTOBUF, answer.SerializeToString()
        _, recorder = watch(app, otlp_endpoint=receiver.url)
        async with serving(app) as served:
            for _ in range(3):
                await served.get("/hello")
    assert dropped(recorder, "traces") == losses_of(rejected=counted)
    # Both responses have the same form on the wire.
    assert (dropped(recorder, "logs")["rejected"] or 0) >= counted


async def test_credentials_of_netrc_are_not_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The credentials that somebody keeps for a host in ~/.netrc are not the exporter's; those of the URL are."""
    (tmp_path / "netrc").write_text("default login someone password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with receiving() as receiver:
        for url in (receiver.url, f"http://me:mine@{receiver.host}"):
            app = make_app()
            watch(app, otlp_endpoint=url)
            async with serving(app) as served:
                await served.get("/hello")
    sent = [headers.get("authorization") for _, headers, _ in receiver.posts]
    assert set(sent) == {None, "Basic bWU6bWluZQ=="}


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxy the environment names, exports go to the endpoint itself."""
    app = make_app()
    with receiving() as receiver, receiving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("no_proxy", "nowhere.test")
        watch(app, otlp_endpoint=receiver.url)
        async with serving(app) as served:
            await served.get("/hello")
    assert {path for path, _, _ in receiver.posts} == {"/v1/traces", "/v1/logs"}
    assert proxy.posts == []


AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "OTEL_EXPORTER_OTLP_CERTIFICATE")


@pytest.mark.parametrize("name", AUTHORITIES)
def test_certificates_of_the_environment_are_used(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An endpoint is trusted by the authorities that the environment names."""
    bundle = tmp_path / "authorities.pem"
    bundle.touch()
    for other in AUTHORITIES:
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, str(bundle))
    session = OtlpSession("traces")
    OTLPSpanExporter(session=session, endpoint="https://collector.test:4318/v1/traces")
    used = session.merge_environment_settings("https://collector.test:4318", {}, None, None, None)
    assert (used["verify"], used["proxies"]) == (str(bundle), {})


async def test_pain_19_silent_endpoint_does_not_hold_the_stop() -> None:
    """Pain 19: an endpoint that accepts and never answers does not hold the stop; what was not sent is counted."""
    app = make_app()
    with silent_endpoint() as url:
        _, recorder = watch(app, otlp_endpoint=url)
        async with serving(app) as served:
            answers = [await served.get("/hello") for _ in range(20)]
            begun = time.monotonic()
        assert time.monotonic() - begun < BOUND
    assert [answer.status for answer in answers] == [200] * 20
    assert dropped(recorder, "traces") == losses_of(shutdown=20)
    assert dropped(recorder, "logs")["shutdown"] >= 20
    incomplete = {line["signal"]: line["items"] for line in recorder.events("telemetry.flush.incomplete")}
    assert incomplete["traces"] == 20


async def test_abandoned_batch_is_counted_once() -> None:
    """What was counted lost at the stop is not counted again, nor said, when its exporter gives up at last."""
    app = make_app()
    with silent_endpoint() as url:
        _, recorder = watch(app, otlp_endpoint=url)
        async with serving(app) as served:
            await served.get("/hello")
        counted = dropped(recorder, "traces"), dropped(recorder, "logs")
        exporters = exporter_threads()
        assert exporters
    for thread in exporters:
        thread.join(PATIENCE)
    assert exporter_threads() == []
    assert (dropped(recorder, "traces"), dropped(recorder, "logs")) == counted
    assert {line["reason"] for line in recorder.events("telemetry.export.failed")} == {"shutdown"}


async def test_absent_endpoint_does_not_hold_the_stop() -> None:
    """With an endpoint that refuses connections the stop ends in time, and every span is counted once."""
    app = make_app()
    _, recorder = watch(app, otlp_endpoint="http://127.0.0.1:9")
    async with serving(app) as served:
        for _ in range(5):
            await served.get("/hello")
        begun = time.monotonic()
    assert time.monotonic() - begun < BOUND
    assert sum(count or 0 for count in dropped(recorder, "traces").values()) == 5


async def test_span_after_the_stop_is_counted() -> None:
    """A span that ends after the stop is a counted loss."""
    app = make_app()
    with receiving() as receiver:
        telemetry, recorder = watch(app, otlp_endpoint=receiver.url)
        async with serving(app):
            pass
        with telemetry.span("late"):
            pass
    assert dropped(recorder, "traces") == losses_of(shutdown=1)


async def test_nothing_is_counted_without_an_endpoint() -> None:
    """Without an endpoint nothing waits and nothing is lost."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        await served.get("/hello")
        assert recorder.metric("telemetry_queue_size", signal="traces") == 0
    assert dropped(recorder, "traces") == dict.fromkeys(REASONS, 0)


async def test_queue_size_and_capacity_are_shown() -> None:
    """What waits for a stuck endpoint is in `telemetry_queue_size`, beside its capacity."""
    app = make_app()
    with silent_endpoint() as url:
        _, recorder = watch(app, otlp_endpoint=url)
        async with serving(app) as served:
            for _ in range(5):
                await served.get("/hello")
            assert recorder.metric("telemetry_queue_size", signal="traces") == 5
            assert recorder.metric("telemetry_queue_size", signal="logs") >= 5
            assert recorder.metric("telemetry_queue_capacity", signal="traces") == QUEUE_CAPACITY
            assert recorder.metric("telemetry_queue_capacity", signal="log_lines") > 0


async def test_full_queue_refuses_and_counts() -> None:
    """A stuck endpoint's queue stays at its capacity; each span beyond it is counted, and none blocks."""
    app = make_app()
    with silent_endpoint() as url:
        telemetry, recorder = watch(app, otlp_endpoint=url)
        async with serving(app):
            recorder.spans = Forgetful()
            for _ in range(QUEUE_CAPACITY + 30):
                with telemetry.span("work"):
                    pass
            assert recorder.metric("telemetry_queue_size", signal="traces") == QUEUE_CAPACITY
            assert dropped(recorder, "traces")["queue_full"] == 30
    assert sum(count or 0 for count in dropped(recorder, "traces").values()) == QUEUE_CAPACITY + 30


class Forgetful(list[Any]):
    """Keeps nothing."""

    def append(self, _item: Any) -> None:
        """Forget it."""


def test_gate_counts_what_waits() -> None:
    """A gate admits its capacity, refuses with a count, and has room again for what has left."""
    lost: list[tuple[str, str, int, str | None]] = []
    gate = Gate("traces", lambda signal, reason, items, cause=None: lost.append((signal, reason, items, cause)))
    assert [gate.admit() for _ in range(QUEUE_CAPACITY)] == [True] * QUEUE_CAPACITY
    assert not gate.admit()
    gate.leave(10, sent=True)
    assert gate.admit()
    gate.leave(5, sent=False, cause="HTTP 503")
    assert gate.waiting == QUEUE_CAPACITY - 14
    assert lost == [("traces", "queue_full", 1, None), ("traces", "export_failed", 5, "HTTP 503")]


@pytest.fixture
def losses(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Losses, list[float], Recorder]]:
    """Losses with a clock of the test's own, and what was said of them."""
    telemetry = Telemetry(TelemetrySettings(service_name="test"))
    recorder = Recorder(telemetry)
    clock = [1000.0]
    monkeypatch.setattr("telemetry.losses.time.monotonic", lambda: clock[0])
    telemetry.logs.start()
    yield telemetry.losses, clock, recorder
    telemetry.logs.stop()


def test_losses_are_said_once_a_minute(losses: tuple[Losses, list[float], Recorder]) -> None:
    """The first loss is said at once; those of the next minute are said together with the first one after it."""
    told, clock, recorder = losses
    for second in (0, 1, 30, 59.9):
        clock[0] = 1000.0 + second
        told.lost("traces", "queue_full", 3)
    assert [line["items"] for line in recorder.events("telemetry.export.failed")] == [3]
    clock[0] = 1060.0
    told.lost("traces", "queue_full", 3)
    assert [line["items"] for line in recorder.events("telemetry.export.failed")] == [3, 12]
    assert recorder.metric("telemetry_dropped_items_total", signal="traces", reason="queue_full") == 15


def test_losses_of_two_kinds_are_said_apart(losses: tuple[Losses, list[float], Recorder]) -> None:
    """Signals and reasons have a minute of their own each."""
    told, _, recorder = losses
    told.lost("traces", "queue_full", 1)
    told.lost("traces", "export_failed", 2)
    told.lost("logs", "queue_full", 3)
    lines = recorder.events("telemetry.export.failed")
    assert [(line["signal"], line["reason"], line["items"]) for line in lines] == [
        ("traces", "queue_full", 1), ("traces", "export_failed", 2), ("logs", "queue_full", 3),
    ]  # fmt: skip


def test_lost_lines_are_counted_not_said(losses: tuple[Losses, list[float], Recorder]) -> None:
    """Lost log lines are counted and not said: the line about them would be lost too."""
    told, _, recorder = losses
    told.lost("log_lines", "queue_full", 4)
    assert recorder.lines == []
    assert recorder.metric("telemetry_dropped_items_total", signal="log_lines", reason="queue_full") == 4


def test_bytes_that_are_not_http_are_said_once_a_minute(losses: tuple[Losses, list[float], Recorder]) -> None:
    """Invalid requests are counted each and said once a minute."""
    told, clock, recorder = losses
    for second in (0, 1, 2, 61):
        clock[0] = 1000.0 + second
        told.invalid_request()
    assert [line["count"] for line in recorder.events("http.request.invalid")] == [1, 3]
    assert recorder.metric("http_server_invalid_requests_total") == 4
