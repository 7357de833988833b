"""The real Sentry SDK against a local endpoint that keeps its envelopes."""

import asyncio
import tracemalloc
from typing import Any

import pytest
from fastapi import FastAPI, Request

from tests.telemetry.asgi import Answer, serving, watch
from tests.telemetry.receiver import Receiver, receiving

MARKERS = ("marker-local", "marker-header", "marker-query", "marker-body", "marker-cookie", "marker-argument")


class Teapot(Exception):
    """What the app fails with."""


def make_app() -> FastAPI:
    """An app with a route that fails, with a marker in everything that must not be sent."""
    app = FastAPI()

    @app.get("/fine/{item_id}")
    async def fine(item_id: str) -> str:
        return item_id

    def brew(argument: str) -> None:
        local = {"password": "marker-local", "argument": argument}
        raise Teapot(f"short of {len(local)} things")

    @app.post("/fails/{item_id}")
    async def fails(item_id: str, request: Request) -> None:
        body = await request.body()
        headers = dict(request.headers)  # noqa: F841
        brew("marker-argument" + body.decode())

    return app


async def fail(receiver: Receiver, *, rate: float = 0.0, dsn: bool = True, times: int = 1) -> list[Answer]:
    """Let requests fail with Sentry at the receiver."""
    app = make_app()
    watch(app, sentry_dsn=f"http://key@{receiver.host}/1" if dsn else None, sentry_traces_sample_rate=rate)
    headers = [
        (b"authorization", b"Bearer marker-header"),
        (b"cookie", b"session=marker-cookie"),
        (b"x-request-id", b"the-id"),
        (b"baggage", b"sentry-trace_id=0af7651916cd43dd8448eb211c80319c,user=marker-header"),
        (b"sentry-trace", b"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"),
    ]
    async with serving(app) as served:
        answers = [
            await served.request("POST", "/fails/7?q=marker-query", headers=headers, body=b"marker-body")
            for _ in range(times)
        ]
        await served.get("/fine/7?q=marker-query", headers=headers)
    return answers


def items(receiver: Receiver, kind: str) -> list[dict[str, Any]]:
    """The payloads of one kind."""
    return [payload for header, payload in receiver.envelope_items if header["type"] == kind]


async def test_pain_25_error_has_the_responses_trace() -> None:
    """Pain 25: an unhandled error is exactly one event, with the response's trace id and the request's id as tag."""
    with receiving() as receiver:
        (answer,) = await fail(receiver)
    (event,) = items(receiver, "event")
    assert answer.status == 500
    assert event["contexts"]["trace"]["trace_id"] == answer.trace_id
    assert event["contexts"]["trace"]["span_id"] == answer.span_id
    assert event["tags"]["request_id"] == "the-id"
    assert event["transaction"] == "POST /fails/{item_id}"
    assert [value["type"] for value in event["exception"]["values"]] == ["Teapot"]
    assert event["exception"]["values"][0]["mechanism"]["handled"] is False


async def test_nothing_that_the_request_carried_is_sent() -> None:
    """No header, cookie, query, body, argument or local variable is anywhere in the bytes sent, headers included."""
    with receiving() as receiver:
        await fail(receiver, rate=1.0)
    everything = repr(receiver.posts)
    assert len(receiver.posts) >= 3
    assert [marker for marker in MARKERS if marker in everything] == []
    for event in items(receiver, "event"):
        assert not {"request", "user", "server_name"} & {key for key, value in event.items() if value}
        assert event.get("breadcrumbs", {"values": []})["values"] == []
        for value in event["exception"]["values"]:
            for frame in value["stacktrace"]["frames"]:
                assert not {"vars", "context_line", "pre_context", "post_context"} & frame.keys()


async def test_each_error_is_an_event() -> None:
    """Equal errors of three requests are three events, each with its own trace."""
    with receiving() as receiver:
        answers = await fail(receiver, times=3)
    traces = [event["contexts"]["trace"]["trace_id"] for event in items(receiver, "event")]
    assert sorted(traces) == sorted(answer.trace_id for answer in answers)


async def test_transactions_at_rate_one() -> None:
    """At rate 1.0 each request is a transaction with its route and trace; none has a span or the path."""
    with receiving() as receiver:
        (answer,) = await fail(receiver, rate=1.0)
    found = items(receiver, "transaction")
    assert sorted(item["transaction"] for item in found) == ["GET /fine/{item_id}", "POST /fails/{item_id}"]
    assert answer.trace_id in {item["contexts"]["trace"]["trace_id"] for item in found}
    assert all(item["timestamp"] >= item["start_timestamp"] for item in found)


async def test_no_transactions_at_rate_zero() -> None:
    """At rate 0 there are errors and no transactions."""
    with receiving() as receiver:
        await fail(receiver, rate=0.0)
    assert {header["type"] for header, _ in receiver.envelope_items} == {"event"}


async def test_nothing_without_dsn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a DSN nothing is sent, whatever SENTRY_* variables the environment has."""
    with receiving() as receiver:
        monkeypatch.setenv("SENTRY_DSN", f"http://key@{receiver.host}/1")
        monkeypatch.setenv("SENTRY_SPOTLIGHT", f"{receiver.url}/stream")
        await fail(receiver, rate=1.0, dsn=False)
    assert receiver.posts == []


async def test_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a DSN, SENTRY_* variables open no other way out and change neither release nor environment."""
    with receiving() as receiver, receiving() as other:
        monkeypatch.setenv("SENTRY_DSN", f"http://key@{other.host}/1")
        monkeypatch.setenv("SENTRY_SPOTLIGHT", f"{other.url}/stream")
        monkeypatch.setenv("SENTRY_RELEASE", "from-environment")
        monkeypatch.setenv("SENTRY_ENVIRONMENT", "from-environment")
        monkeypatch.setenv("SENTRY_DEBUG", "1")
        monkeypatch.setenv("SENTRY_TRACE", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")
        monkeypatch.setenv("SENTRY_BAGGAGE", "sentry-trace_id=0af7651916cd43dd8448eb211c80319c")
        (answer,) = await fail(receiver)
    (event,) = items(receiver, "event")
    assert other.posts == []
    assert (event["release"], event["environment"]) == ("0", "development")
    assert event["contexts"]["trace"]["trace_id"] == answer.trace_id
    assert "from-environment" not in repr(receiver.posts)


async def test_dead_sentry_holds_nobody() -> None:
    """With a Sentry that cannot be reached, requests are answered and the stop ends in time."""
    app = make_app()
    watch(app, sentry_dsn="http://key@127.0.0.1:9/1", sentry_traces_sample_rate=1.0)
    loop = asyncio.get_running_loop()
    async with serving(app) as served:
        answers = [await served.request("POST", "/fails/7", body=b"") for _ in range(20)]
        begun = loop.time()
    assert {answer.status for answer in answers} == {500}
    assert loop.time() - begun < 1 + 29  # a second, and the machine may stand still meanwhile


async def test_background_failure_is_captured() -> None:
    """`capture` sends an exception that no request is behind."""
    app = make_app()
    with receiving() as receiver:
        telemetry, _ = watch(app, sentry_dsn=f"http://key@{receiver.host}/1", sentry_traces_sample_rate=0.0)
        async with serving(app):
            telemetry.capture(Teapot("alone"))
    (event,) = items(receiver, "event")
    assert event["exception"]["values"][0]["value"] == "alone"


@pytest.mark.parametrize("status", [302, 429, 500])
async def test_report_that_sentry_does_not_take_is_counted(status: int) -> None:
    """An envelope that is answered by anything but success is a counted loss, and no redirect is followed."""
    app = make_app()
    with receiving() as receiver:
        receiver.status = status
        receiver.answer_headers = {"Location": f"{receiver.url}/elsewhere"}
        _, recorder = watch(app, sentry_dsn=f"http://key@{receiver.host}/1", sentry_traces_sample_rate=0)
        async with serving(app) as served:
            await served.request("POST", "/fails/7")
        lost = recorder.metric("telemetry_dropped_items_total", signal="sentry", reason="export_failed")
    assert (lost, len(receiver.posts)) == (1, 1)


async def test_answer_of_any_length_is_not_kept() -> None:
    """Of an answer no more than 64 KiB are read, however much comes."""
    app = make_app()
    with receiving() as receiver:
        receiver.answer = b"x" * 50_000_000
        watch(app, sentry_dsn=f"http://key@{receiver.host}/1", sentry_traces_sample_rate=0)
        tracemalloc.start()
        try:
            async with serving(app) as served:
                await served.request("POST", "/fails/7")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 40_000_000
