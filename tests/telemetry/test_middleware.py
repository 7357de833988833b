"""Own time of each layer: what it costs without what it wraps."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, StreamingResponse

from telemetry import Layer, accounts, correlation, current_request, middleware, names, request
from telemetry.testing import Recorder
from tests.telemetry.asgi import Answer, serving, watch

PAUSE = 0.06  # what a slow part takes; nothing else takes any time


class Time:
    """Seconds, which pass in a `pause` alone."""

    now = 1000.0


async def pause(seconds: float) -> None:
    """Let time pass, and others have their turn."""
    Time.now += seconds
    await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def _time(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (accounts, correlation, middleware, request):
        monkeypatch.setattr(module, "perf_counter", lambda: Time.now)
    for module in ("telemetry.accounts", "opentelemetry.sdk.trace"):
        monkeypatch.setattr(f"{module}.time_ns", lambda: int(Time.now * 1e9))
    monkeypatch.setattr(accounts, "SLOW_LAYER_SECONDS", 0.005)


class Quick:
    """A layer that hands everything on."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.serve(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class QuickWrapper(Quick):
    """A layer with wrappers of its own around `send` and `receive`."""

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        async def hand_on(message: Any) -> None:
            await send(message)

        async def take() -> Any:
            return await receive()

        await self.app(scope, take, hand_on)


class SlowBefore(Quick):
    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        await pause(PAUSE)
        await self.app(scope, receive, send)


class SlowAfter(Quick):
    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)
        await pause(PAUSE)


class SlowSend(Quick):
    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        async def slow(message: Any) -> None:
            if message["type"] == "http.response.body" and message.get("body"):
                await pause(PAUSE)
            await send(message)

        await self.app(scope, receive, slow)


class SlowReceive(Quick):
    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        async def slow() -> Any:
            message = await receive()
            if message["type"] == "http.request":
                await pause(PAUSE)
            return message

        await self.app(scope, slow, send)


class Answering(Quick):
    """Answers in the handler's place, after a pause."""

    def __init__(self, app: Any, pause: float = 0.0) -> None:
        super().__init__(app)
        self.pause = pause

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        await pause(self.pause)
        current_request(scope).reject("middle", "full")
        await PlainTextResponse("no", 429)(scope, receive, send)


class Failing(Quick):
    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        await pause(PAUSE)
        raise RuntimeError("layer")


def make_app() -> FastAPI:
    """An app with a quick, a slow, a streaming and a reading route."""
    app = FastAPI()

    @app.get("/quick")
    async def quick() -> str:
        return "x"

    @app.get("/slow")
    async def slow() -> str:
        await pause(PAUSE)
        return "x"

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(3):
                await pause(PAUSE / 3)
                yield b"x"

        return StreamingResponse(parts())

    @app.post("/read")
    async def read(request: Request) -> int:
        return len(await request.body())

    return app


async def pass_through(
    middle: Any, method: str = "GET", path: str = "/quick", **options: Any
) -> tuple[Answer, Recorder]:
    """Send one request through outer → middle → inner."""
    app = make_app()
    layers = (Layer("outer", QuickWrapper), Layer("middle", middle, options), Layer("inner", QuickWrapper))
    telemetry, recorder = watch(app, layers=layers)
    telemetry.metrics.declare(names.MIDDLEWARE_REJECTIONS, [("middle", "full")])
    async with serving(app) as served:
        answer = await served.request(method, path, body=b"body")
    return answer, recorder


def own(recorder: Recorder) -> dict[str, float]:
    """Own seconds by layer, as the histogram has them."""
    name = "http_server_middleware_duration_seconds_sum"
    return {layer: recorder.metric(name, middleware=layer) or 0.0 for layer in ("outer", "middle", "inner")}


def spans_of_layers(recorder: Recorder) -> list[str]:
    """Names of the layers' child spans."""
    return [span.name for span in recorder.spans if span.name.startswith("middleware ")]


@pytest.mark.parametrize(
    ("middle", "method", "path", "pauses"),
    [
        (SlowBefore, "GET", "/quick", 1),
        (SlowBefore, "GET", "/stream", 1),
        (SlowAfter, "GET", "/quick", 1),
        (SlowAfter, "GET", "/stream", 1),
        (SlowSend, "GET", "/quick", 1),
        (SlowSend, "GET", "/stream", 3),
        (SlowReceive, "POST", "/read", 1),
        (Failing, "GET", "/quick", 1),
    ],
)
async def test_own_time_is_the_layers_alone(middle: type[Quick], method: str, path: str, pauses: int) -> None:
    """What a layer waits before, after, in its `send` or in its `receive` is its own time and no other layer's."""
    _, recorder = await pass_through(middle, method, path)
    times = own(recorder)
    assert pauses * PAUSE * 0.95 <= times["middle"] < pauses * PAUSE * 3
    assert max(times["outer"], times["inner"]) < PAUSE / 2


@pytest.mark.parametrize("path", ["/slow", "/stream"])
async def test_handlers_time_is_no_layers(path: str) -> None:
    """What the handler waits, before its answer or between the parts of a stream, is no layer's own time."""
    _, recorder = await pass_through(Quick, path=path)
    assert max(own(recorder).values()) < PAUSE / 2


@pytest.mark.parametrize("leave_after", [None, 3])
async def test_waiting_for_the_clients_leave_is_no_layers_time(leave_after: int | None) -> None:
    """A `receive` that is open while an answer is made and sent, and cancelled at its end, is no layer's own time."""
    app = make_app()
    layers = (Layer("outer", QuickWrapper), Layer("middle", QuickWrapper), Layer("inner", SlowSend))

    @app.get("/watched")
    async def watched(request: Request) -> StreamingResponse:
        leaves = asyncio.create_task(request.receive())

        async def parts() -> AsyncIterator[bytes]:
            for _ in range(3):
                await pause(PAUSE)
                yield b"x"
            leaves.cancel()
            await asyncio.wait([leaves])

        return StreamingResponse(parts())

    _, recorder = watch(app, layers=layers)
    async with serving(app) as served:
        await served.get("/watched", leave_after=leave_after)
    times = own(recorder)
    assert max(abs(times["outer"]), abs(times["middle"])) < PAUSE / 2
    assert times["inner"] >= PAUSE * 0.95


async def test_slow_client_is_no_layers_time() -> None:
    """What the server's `send` waits for a slow reader, and its `receive` for a slow writer, is no layer's own time."""
    app = make_app()
    _, recorder = watch(
        app, layers=(Layer("outer", QuickWrapper), Layer("middle", Quick), Layer("inner", QuickWrapper))
    )

    async def receive() -> Any:
        await pause(PAUSE)
        return {"type": "http.request", "body": b"x", "more_body": False}

    async def send(_message: Any) -> None:
        await pause(PAUSE)

    async with serving(app) as served:
        await app(served.scope("POST", "/read", (), "127.0.0.1", ""), receive, send)
    assert max(own(recorder).values()) < PAUSE / 2


async def test_two_slow_layers_are_told_apart() -> None:
    """Two layers that both wait in their `send` wrappers each have their own wait, not the other's too."""
    app = make_app()
    _, recorder = watch(app, layers=(Layer("outer", SlowSend), Layer("middle", SlowBefore), Layer("inner", SlowSend)))
    async with serving(app) as served:
        await served.get("/quick")
    assert [PAUSE * 0.95 <= seconds < PAUSE * 1.8 for seconds in own(recorder).values()] == [True] * 3


async def test_layer_that_answers_has_its_own_time() -> None:
    """A layer that answers by itself has its own time; the layers it kept the request from are not observed."""
    answer, recorder = await pass_through(Answering, pause=PAUSE)
    count = "http_server_middleware_duration_seconds_count"
    assert answer.status == 429
    assert own(recorder)["middle"] >= PAUSE * 0.95
    assert own(recorder)["outer"] < PAUSE / 2
    assert [recorder.metric(count, middleware=layer) for layer in ("outer", "middle", "inner")] == [1, 1, 0]


async def test_rejection_is_counted_and_has_a_span() -> None:
    """A rejection, however quick, is counted by layer and reason and has a child span of the server span."""
    answer, recorder = await pass_through(Answering)
    (span,) = [span for span in recorder.spans if span.name == "middleware middle"]
    (server,) = recorder.server_spans()
    assert recorder.metric("http_server_middleware_rejections_total", middleware="middle", reason="full") == 1
    assert span.attributes == {"clearstory.rejection.reason": "full"}
    assert (span.parent.span_id, span.context.trace_id) == (server.context.span_id, server.context.trace_id)
    assert answer.trace_id == f"{span.context.trace_id:032x}"


class Limiting(Quick):
    """Answers in the handler's place: a limit refused."""

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        record = current_request(scope)
        record.reject("middle", "full")
        record.refused_by = ("strict", "requests")
        await PlainTextResponse("no", 429)(scope, receive, send)


async def test_a_limit_that_refused_is_on_the_server_span() -> None:
    """The policy and which of its limits refused: on the server span, and on the span of the layer that answered."""
    _, recorder = await pass_through(Limiting)
    refused = {"clearstory.rejection.policy": "strict", "clearstory.rejection.limit": "requests"}
    (server,) = recorder.server_spans()
    (layer,) = [span for span in recorder.spans if span.name == "middleware middle"]
    assert {name: server.attributes.get(name) for name in refused} == refused
    assert layer.attributes == {"clearstory.rejection.reason": "full", **refused}


async def test_what_no_limit_refused_names_none() -> None:
    """A rejection by anything else, and a request that was served, name no policy."""
    for middle in (Answering, Quick):
        _, recorder = await pass_through(middle)
        (server,) = recorder.server_spans()
        assert not [name for name in server.attributes if name.startswith("clearstory.rejection")]


async def test_slow_layer_has_a_span() -> None:
    """A layer whose own work was slow has a child span of that length; the fast layers have none."""
    _, recorder = await pass_through(SlowBefore)
    (span,) = [span for span in recorder.spans if span.name.startswith("middleware ")]
    (server,) = recorder.server_spans()
    assert span.name == "middleware middle"
    assert PAUSE * 0.9e9 <= span.end_time - span.start_time < PAUSE * 3e9
    assert span.parent.span_id == server.context.span_id
    assert span.start_time >= server.start_time


async def test_fast_layers_have_no_span() -> None:
    """Layers that did nothing worth seeing have no span, whatever the handler took."""
    _, recorder = await pass_through(Quick, path="/slow")
    assert spans_of_layers(recorder) == []


async def test_pain_14_no_span_for_messages() -> None:
    """Pain 14: a streamed answer gives one server span and no span for `send` or `receive`."""
    _, recorder = await pass_through(Quick, path="/stream")
    assert [span.name for span in recorder.spans] == ["GET /stream"]


async def test_access_event_has_the_layers_times() -> None:
    """The access event has the own milliseconds of each layer that was entered, in order of execution."""
    _, recorder = await pass_through(SlowBefore)
    (event,) = recorder.events("http.request.completed")
    assert list(event["middleware_ms"]) == ["outer", "middle", "inner"]
    assert event["middleware_ms"]["middle"] >= PAUSE * 950
    assert max(event["middleware_ms"]["outer"], event["middleware_ms"]["inner"]) < PAUSE * 500


async def test_access_event_of_a_rejection_has_the_layers_entered() -> None:
    """The access event of a rejected request names the layers that it came to, the rejecting one last."""
    _, recorder = await pass_through(Answering, pause=PAUSE)
    (event,) = recorder.events("http.request.completed")
    assert list(event["middleware_ms"]) == ["outer", "middle"]
    assert event["middleware_ms"]["middle"] >= PAUSE * 950


async def test_failing_layer_is_observed_and_answered() -> None:
    """A layer that raises gives a 500 with both ids, and its time is observed."""
    answer, recorder = await pass_through(Failing)
    assert (answer.status, str(answer.error)) == (500, "layer")
    assert answer.header("x-request-id")
    assert own(recorder)["middle"] >= PAUSE * 0.95


async def test_concurrent_requests_keep_their_own_times() -> None:
    """Of requests at the same time, each has its own layer times in its access event."""
    app = make_app()
    _, recorder = watch(app, layers=(Layer("outer", QuickWrapper), Layer("middle", Sometimes), Layer("inner", Quick)))
    async with serving(app) as served:
        await asyncio.gather(
            *(
                served.get(
                    "/quick", headers=[(b"x-slow", b"1" if number % 2 else b"0"), (b"x-request-id", b"%d" % number)]
                )
                for number in range(20)
            )
        )
    slow = {
        event["request_id"]: event["middleware_ms"]["middle"] >= PAUSE * 950
        for event in recorder.events("http.request.completed")
    }
    assert slow == {str(number): bool(number % 2) for number in range(20)}


class Sometimes(Quick):
    """Slow when the request asks for it."""

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        if dict(scope["headers"])[b"x-slow"] == b"1":
            await pause(PAUSE)
        await self.app(scope, receive, send)


async def test_bounded_labels_exist_from_the_start() -> None:
    """Every layer's histogram exists at 0 before the first request."""
    app = make_app()
    _, recorder = watch(app, layers=(Layer("outer", Quick), Layer("middle", Quick)))
    count = "http_server_middleware_duration_seconds_count"
    async with serving(app):
        assert [recorder.metric(count, middleware=name) for name in ("outer", "middle")] == [0, 0]


async def test_app_without_layers_is_served() -> None:
    """Without layers the app is served, and the access event has no layers' times."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        answer = await served.get("/quick")
    assert answer.status == 200
    assert "middleware_ms" not in recorder.events("http.request.completed")[0]
