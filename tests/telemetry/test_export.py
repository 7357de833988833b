"""Export of spans and log records: bounded, counted, on time."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from telemetry import Telemetry, TelemetrySettings, get_logger, names
from telemetry.export import QUEUE_CAPACITY, Gate
from telemetry.losses import Losses
from telemetry.metrics import Metrics
from telemetry.testing import Recorder
from tests.telemetry.asgi import serving, watch
from tests.telemetry.receiver import receiving, silent_endpoint

log = get_logger("export.test")
REASONS = ("queue_full", "export_failed", "shutdown")


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
    assert dropped(recorder, "traces") == {"queue_full": 0, "export_failed": 7, "shutdown": 0}
    assert dropped(recorder, "logs")["export_failed"] >= 7


async def test_pain_19_silent_endpoint_does_not_hold_the_stop() -> None:
    """Pain 19: an endpoint that accepts and never answers does not hold the stop; what was not sent is counted."""
    app = make_app()
    with silent_endpoint() as url:
        _, recorder = watch(app, otlp_endpoint=url)
        async with serving(app) as served:
            answers = [await served.get("/hello") for _ in range(20)]
            begun = time.monotonic()
        took = time.monotonic() - begun
    assert took < 2.5
    assert [answer.status for answer in answers] == [200] * 20
    assert dropped(recorder, "traces") == {"queue_full": 0, "export_failed": 0, "shutdown": 20}
    assert dropped(recorder, "logs")["shutdown"] >= 20
    incomplete = {line["signal"]: line["items"] for line in recorder.events("telemetry.flush.incomplete")}
    assert incomplete["traces"] == 20


async def test_absent_endpoint_does_not_hold_the_stop() -> None:
    """With an endpoint that refuses connections the stop ends in time, and every span is counted once."""
    app = make_app()
    _, recorder = watch(app, otlp_endpoint="http://127.0.0.1:9")
    async with serving(app) as served:
        for _ in range(5):
            await served.get("/hello")
        begun = time.monotonic()
    assert time.monotonic() - begun < 2.5
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
    assert dropped(recorder, "traces") == {"queue_full": 0, "export_failed": 0, "shutdown": 1}


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
            begun = time.monotonic()
            for _ in range(QUEUE_CAPACITY + 30):
                with telemetry.span("work"):
                    pass
            assert time.monotonic() - begun < 10
            assert recorder.metric("telemetry_queue_size", signal="traces") == QUEUE_CAPACITY
            assert dropped(recorder, "traces")["queue_full"] == 30
    assert sum(count or 0 for count in dropped(recorder, "traces").values()) == QUEUE_CAPACITY + 30


class Forgetful(list[Any]):
    """Keeps nothing."""

    def append(self, _item: Any) -> None:
        """Forget it."""


def test_gate_counts_what_waits() -> None:
    """A gate admits its capacity, refuses with a count, and has room again for what has left."""
    lost: list[tuple[str, str, int]] = []
    gate = Gate("traces", lambda *loss: lost.append(loss))
    assert [gate.admit() for _ in range(QUEUE_CAPACITY)] == [True] * QUEUE_CAPACITY
    assert not gate.admit()
    gate.leave(10, sent=True)
    assert gate.admit()
    gate.leave(5, sent=False)
    assert gate.waiting == QUEUE_CAPACITY - 14
    assert lost == [("traces", "queue_full", 1), ("traces", "export_failed", 5)]


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
