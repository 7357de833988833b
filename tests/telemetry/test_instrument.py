"""Instrumenting applications that are not ours."""

import asyncio
import json
import logging
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import BackgroundTasks, FastAPI, Request, WebSocket
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.background import BackgroundTask
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import StreamingResponse

from telemetry import Layer, get_logger
from telemetry.testing import Recorder
from tests.patience import PATIENCE
from tests.telemetry.asgi import SERVER, Answer, Served, serving, watch

log = get_logger("foreign.app")


class Gone(Exception):
    """An error of the application's own."""


def add_routes(app: FastAPI) -> None:
    """Routes that answer, fail and stream."""

    @app.get("/fine")
    async def fine() -> str:
        return "x"

    @app.get("/gone")
    async def gone() -> None:
        raise Gone

    @app.get("/fails")
    async def fails() -> None:
        raise ValueError("text")

    @app.get("/breaks")
    async def breaks() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"a"
            raise ValueError("in mid-stream")

        return StreamingResponse(parts())


def make_app(**options: Any) -> FastAPI:
    """An app of somebody else's."""
    app = FastAPI(**options)
    add_routes(app)
    return app


def told_once(recorder: Recorder, answer: Answer) -> dict[str, Any]:
    """The access event of the only request, of which answer, span and event tell the same."""
    (span,) = recorder.server_spans()
    (event,) = recorder.events("http.request.completed")
    assert f"{span.context.trace_id:032x}" == event["trace_id"] == answer.trace_id
    assert span.attributes["request_id"] == event["request_id"] == answer.header("x-request-id")
    assert span.attributes["http.response.status_code"] == event["status"] == answer.status
    return event


@pytest.mark.parametrize("headers", [(), ((b"content-length", b"11"),)])
async def test_body_over_the_apps_own_limit_is_in_the_story(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """The 413 of `FastAPI(max_body_size=…)` is an answer like any other, and the limit is the app's as before."""
    app = FastAPI(max_body_size=10)

    @app.post("/read")
    async def read(request: Request) -> int:
        return len(await request.body())

    _, recorder = watch(app)
    async with serving(app) as served:
        assert (await served.request("POST", "/read", body=b"x" * 10)).body == b"10"
        recorder.clear()
        answer = await served.request("POST", "/read", body=b"x" * 11, headers=headers)
    assert (answer.status, answer.error) == (413, None)
    told_once(recorder, answer)
    assert recorder.events("http.request.failed") == []
    assert app.max_body_size == 10


@pytest.mark.parametrize(
    ("path", "status"), [("/fine", 200), ("/fails", 500), ("/nothing", 404), ("/breaks", 200), ("/fine/", 307)]
)
async def test_one_request_is_one_story(path: str, status: int) -> None:
    """Each request is one server span and one access event, with the answer's ids and status."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        answer = await served.get(path)
    assert told_once(recorder, answer)["status"] == status


@pytest.mark.parametrize(("path", "name"), [("/fine", "GET /fine"), ("/nothing", "GET")])
async def test_address_and_port_are_two_attributes(path: str, name: str) -> None:
    """`server.address` is an address alone: the port has an attribute of its own (HTTP semantic conventions)."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        await served.get(path)
    (span,) = recorder.server_spans()
    assert span.name == name
    assert (span.attributes["server.address"], span.attributes["server.port"]) == SERVER


async def test_pain_3_error_is_on_the_server_span() -> None:
    """Pain 3: an unhandled error is recorded once on the server span, whose status is ERROR."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        answer = await served.get("/fails")
    (span,) = recorder.server_spans()
    (event,) = [event for event in span.events if event.name == "exception"]
    assert span.status.status_code.name == "ERROR"
    assert event.attributes["exception.type"] == "ValueError"
    assert event.attributes["exception.message"] == "text"
    assert isinstance(answer.error, ValueError)


async def test_error_in_mid_stream_is_recorded_once() -> None:
    """An error after the response has begun is on the span once, logged once, and re-raised."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        answer = await served.get("/breaks")
    (span,) = recorder.server_spans()
    assert [event.name for event in span.events] == ["exception"]
    assert (span.status.status_code.name, span.attributes["error.type"]) == ("ERROR", "ValueError")
    assert told_once(recorder, answer)["error_type"] == "ValueError"
    assert len(recorder.events("http.request.failed")) == 1
    assert isinstance(answer.error, ValueError)


async def test_own_500_is_a_problem_with_ids() -> None:
    """The answer to an unhandled error is problem+json with both ids, and says nothing of the error."""
    app = make_app()
    watch(app)
    async with serving(app) as served:
        answer = await served.get("/fails")
    problem = json.loads(answer.body)
    assert answer.header("content-type") == "application/problem+json"
    assert (problem["request_id"], problem["trace_id"]) == (answer.header("x-request-id"), answer.trace_id)
    assert b"text" not in answer.body


async def test_apps_exception_handler_keeps_its_say() -> None:
    """The app's handler of its own exception answers, with the ids on its answer and no failure told."""
    app = make_app(exception_handlers={Gone: lambda _request, _error: PlainTextResponse("gone", 410)})
    _, recorder = watch(app)
    async with serving(app) as served:
        answer = await served.get("/gone")
    assert (answer.status, answer.body, answer.error) == (410, b"gone", None)
    assert told_once(recorder, answer)["status"] == 410
    assert recorder.events("http.request.failed") == []


@pytest.mark.parametrize("key", [500, Exception])
@pytest.mark.parametrize("is_async", [False, True])
async def test_apps_handler_of_every_exception_keeps_its_say(key: Any, is_async: bool) -> None:
    """The app's handler of Exception or 500, sync or async, answers; the failure is told once, with its ids."""

    def handle(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"oops": str(error)}, 503)

    async def handle_later(request: Request, error: Exception) -> JSONResponse:
        await asyncio.sleep(0)
        return handle(request, error)

    app = make_app(exception_handlers={key: handle_later if is_async else handle})
    _, recorder = watch(app)
    async with serving(app) as served:
        answer = await served.get("/fails")
    assert (answer.status, answer.body) == (503, b'{"oops":"text"}')
    assert told_once(recorder, answer)["status"] == 503
    (failed,) = recorder.events("http.request.failed")
    assert failed["trace_id"] == answer.trace_id


async def test_apps_middleware_runs_inside() -> None:
    """The app's own middleware, BaseHTTPMiddleware too, runs in the span; what it answers and raises is told."""
    app = make_app()

    async def dispatch(request: Request, call_next: Any) -> Any:
        log.info("in.middleware")
        if request.url.path == "/refused":
            return PlainTextResponse("no", 403)
        if request.url.path == "/raised":
            raise Gone
        return await call_next(request)

    app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    _, recorder = watch(app)
    async with serving(app) as served:
        for path, status in (("/fine", 200), ("/refused", 403), ("/raised", 500), ("/fails", 500)):
            recorder.clear()
            answer = await served.get(path)
            assert told_once(recorder, answer)["status"] == status
            assert recorder.events("in.middleware")[0]["trace_id"] == answer.trace_id
            assert len(recorder.events("http.request.failed")) == (status == 500)


async def test_middleware_added_after_instrument_runs_inside() -> None:
    """Middleware that is added after `instrument` is inside the layers as well."""
    order: list[str] = []

    class Mark:
        def __init__(self, app: Any, name: str) -> None:
            self.app, self.name = app, name

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                order.append(self.name)
            await self.app(scope, receive, send)

    app = make_app()
    app.add_middleware(Mark, name="before")
    watch(app, layers=(Layer("one", Mark, {"name": "one"}), Layer("two", Mark, {"name": "two"})))
    app.add_middleware(Mark, name="after")
    async with serving(app) as served:
        await served.get("/fine")
    assert order == ["one", "two", "after", "before"]


async def test_apps_lifespan_and_state_are_kept() -> None:
    """The app's lifespan runs inside the telemetry's: it may log, and its state reaches the requests."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        log.info("life.begins")
        yield {"answer": 42}
        log.info("life.ends")

    app = make_app(lifespan=lifespan)

    @app.get("/state")
    async def state(request: Request) -> int:
        return request.state.answer

    _, recorder = watch(app)
    async with serving(app) as served:
        assert (await served.get("/state")).body == b"42"
    events = [line["event"] for line in recorder.lines]
    assert (events[0], events[-1]) == ("life.begins", "life.ends")


async def test_lifespan_that_fails_gives_everything_back() -> None:
    """An app whose start fails says so to the server, and the hooks and threads are given back."""
    import logging  # noqa: PLC0415
    import sys  # noqa: PLC0415
    import threading  # noqa: PLC0415

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        raise Gone("no database")
        yield

    app = make_app(lifespan=lifespan)
    watch(app)
    before = (sys.excepthook, logging.getLogger().handlers[:])
    with pytest.raises(RuntimeError, match="no database"):
        async with serving(app):
            pass
    assert (sys.excepthook, logging.getLogger().handlers[:]) == before
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("telemetry")] == []


async def test_app_without_lifespan() -> None:
    """`lifespan=None` is an app like any other."""
    app = make_app(lifespan=None)
    _, recorder = watch(app)
    async with serving(app) as served:
        told_once(recorder, await served.get("/fine"))


async def test_app_that_is_started_twice() -> None:
    """An app that is stopped and started again tells the same of its second life."""
    app = make_app()
    _, recorder = watch(app)
    for _ in range(2):
        recorder.clear()
        async with serving(app) as served:
            told_once(recorder, await served.get("/fine"))
            log.info("alive")
        assert len(recorder.events("alive")) == 1


async def test_two_apps_in_one_process() -> None:
    """Of two instrumented apps that run at once, each has its own spans, access events and metrics."""
    first, second = make_app(), make_app()
    _, of_first = watch(first, service_name="first")
    _, of_second = watch(second, service_name="second")
    async with serving(first) as one, serving(second) as two:
        a = await one.get("/fine")
        b = await two.get("/fine")
    told_once(of_first, a)
    told_once(of_second, b)
    labels = {"http_request_method": "GET", "http_route": "/fine", "http_response_status_code": "200"}
    for recorder in (of_first, of_second):
        assert recorder.metric("http_server_request_duration_seconds_count", **labels) == 1
        assert recorder.server_spans()[0].resource.attributes["service.name"] == (
            "first" if recorder is of_first else "second"
        )


async def test_background_spans_belong_to_their_app() -> None:
    """The span of a background task is with the app whose request began it, in its request's trace."""
    recorders, answers = [], []
    for name in ("first", "second"):
        app = FastAPI()

        @app.get("/later")
        async def later(tasks: BackgroundTasks) -> None:
            tasks.add_task(work)

        recorders.append(watch(app, service_name=name).recorder)
        async with serving(app) as served:
            answers.append(await served.get("/later"))
    for recorder, answer in zip(recorders, answers, strict=True):
        (span,) = [span for span in recorder.spans if span.name == "BackgroundTask work"]
        assert f"{span.context.trace_id:032x}" == answer.trace_id


async def work() -> None:
    """Something for later."""


async def test_apps_may_stop_in_any_order() -> None:
    """An app that stops takes neither the logging nor the hooks of one that still runs; the last one puts them back."""
    before = (logging.getLogger().handlers[:], sys.excepthook, threading.excepthook)
    loop = asyncio.get_running_loop()
    first, second = watch(make_app()), watch(make_app())
    await first.telemetry.start()
    await second.telemetry.start()
    await first.telemetry.stop()
    get_logger("test").warning("structured")
    logging.getLogger("test").warning("foreign")
    loop.call_exception_handler({"message": "m", "exception": ValueError("unseen")})
    assert [line["event"] for line in second.recorder.lines] == ["structured", "foreign", "task.failed"]
    assert sys.excepthook != before[1]
    await second.telemetry.stop()
    assert (logging.getLogger().handlers, sys.excepthook, threading.excepthook) == before
    assert loop.get_exception_handler() is None
    assert first.recorder.lines == []


async def test_sub_application_is_in_the_same_story() -> None:
    """A request to a mounted app is one span and one event, with the whole template; its failure is told once."""
    app, sub = make_app(), make_app()
    app.mount("/sub", sub)
    _, recorder = watch(app)
    async with serving(app) as served:
        event = told_once(recorder, await served.get("/sub/fine"))
        recorder.clear()
        failed = await served.get("/sub/fails")
    assert event["route"] == "/sub/fine"
    assert told_once(recorder, failed)["status"] == 500
    assert len(recorder.events("http.request.failed")) == 1


@pytest.mark.parametrize("options", [{}, {"telemetry": {"tracing": True, "metrics": True, "logs": True}}])
async def test_native_telemetry_makes_no_second_server_span(options: dict[str, Any]) -> None:
    """With FastAPI's own telemetry left on there is one server span, and no span of a kind twice."""
    app = make_app(**options)
    _, recorder = watch(app)
    async with serving(app) as served:
        answer = await served.get("/fine")
    told_once(recorder, answer)
    names = [span.name for span in recorder.spans]
    assert len(names) == len(set(names)), names
    assert names == ["GET /fine"]


async def test_response_headers_reach_every_response() -> None:
    """Pain 4: what `response_headers` gives is on every answer, 404 and 500 too, once; it is asked once a response."""
    asked: list[int] = []

    def give(_scope: Any, record: Any, status: int, _headers: Any) -> list[tuple[bytes, bytes]]:
        asked.append(status)
        return [(b"x-frame-options", b"DENY"), (b"x-route", record.route.encode())]

    app = make_app()
    watch(app, response_headers=give)
    async with serving(app) as served:
        answers = [await served.get(path) for path in ("/fine", "/nothing", "/fails", "/breaks", "/metrics")]
    assert [answer.header("x-frame-options") for answer in answers] == ["DENY"] * 5
    assert asked == [200, 404, 500, 200, 200]


async def test_apps_own_ids_are_replaced() -> None:
    """An answer has one `X-Request-ID` and one `traceresponse`, whatever the app itself sends."""
    app = FastAPI()

    @app.get("/")
    async def mine() -> PlainTextResponse:
        return PlainTextResponse("", headers={"X-Request-ID": "mine", "traceresponse": "mine"})

    watch(app)
    async with serving(app) as served:
        answer = await served.get("/", headers=[(b"x-request-id", b"given")])
    assert (answer.all("x-request-id"), len(answer.all("traceresponse"))) == (["given"], 1)


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        ([b"a"], True),
        ([b"A-z_0.9"], True),
        ([b"x" * 128], True),
        ([b"x" * 129], False),
        ([b""], False),
        ([b"two words"], False),
        ([b"line\n"], False),
        ([b"caf\xc3\xa9"], False),
        ([b"\xff"], False),
        ([b"one", b"two"], False),
        ([b"same", b"same"], False),
        ([b"${jndi:x}"], False),
    ],
)
async def test_request_id_is_taken_over_or_made(offered: list[bytes], taken: bool) -> None:
    """An `X-Request-ID` is taken over in its charset and length, sent once; else a fresh one is used everywhere."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        answer = await served.get("/fine", headers=[(b"x-request-id", value) for value in offered])
    told = told_once(recorder, answer)["request_id"]
    if taken:
        assert told == offered[0].decode()
    else:
        assert told.startswith("req_")
        assert len(told) == 36


async def test_made_request_ids_are_unique() -> None:
    """Fresh ids of many requests differ."""
    app = make_app()
    watch(app)
    async with serving(app) as served:
        ids = {(await served.get("/fine")).header("x-request-id") for _ in range(300)}
    assert len(ids) == 300


async def test_disconnect_in_mid_stream_is_499() -> None:
    """A client that leaves in mid-stream gives one access event with status 499, and nothing stays open.

    The span has the status that was sent, and says that the client left; that is no error of the service.
    """
    app = FastAPI()

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            while True:
                yield b"x"
                await asyncio.sleep(0.001)

        return StreamingResponse(parts())

    _, recorder = watch(app)
    async with serving(app) as served:
        await asyncio.wait_for(served.get("/endless", leave_after=3), PATIENCE)
    (event,) = recorder.events("http.request.completed")
    assert (event["status"], event["error_type"]) == (499, "client_disconnected")
    (span,) = recorder.server_spans()
    assert (span.attributes["http.response.status_code"], span.attributes["error.type"]) == (200, event["error_type"])
    assert span.status.status_code.name == "UNSET"
    assert recorder.events("http.request.failed") == []
    assert recorder.metric("http_server_active_requests", http_request_method="GET") == 0


async def test_an_error_for_a_client_that_has_left_is_an_error() -> None:
    """Where the client has left and the handler fails, the span is one of that failure, and the status is 499."""
    app = FastAPI()

    @app.get("/late")
    async def late(request: Request) -> None:
        assert await request.is_disconnected()
        raise ValueError("too late")

    _, recorder = watch(app)
    async with serving(app) as served:
        asked = served.scope("GET", "/late", [], "127.0.0.1", "")

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(_message: Any) -> None:
            """Nobody is there."""

        with pytest.raises(ValueError, match="late"):
            await served.app(asked, receive, send)
    (event,) = recorder.events("http.request.completed")
    (span,) = recorder.server_spans()
    assert (event["status"], event["error_type"]) == (499, "ValueError")
    assert (span.status.status_code.name, span.attributes["error.type"]) == ("ERROR", "ValueError")


async def test_pain_16_background_work_is_not_in_the_duration() -> None:
    """Pain 16: work after the last byte is neither in the access event's duration nor in the span's."""
    app = FastAPI()
    told: list[tuple[int, int]] = []

    @app.get("/")
    async def later() -> PlainTextResponse:
        return PlainTextResponse("x", background=BackgroundTask(work))

    async def work() -> None:
        told.append((len(recorder.events("http.request.completed")), len(recorder.server_spans())))

    _, recorder = watch(app)
    async with serving(app) as served:
        await served.get("/")
    assert len(recorder.events("http.request.completed")) == len(recorder.server_spans()) == 1
    assert told == [(1, 1)]  # both had ended when the work began


async def test_cancelled_request_has_its_access_event() -> None:
    """A request that the server cancels is told as 499 and stays cancelled."""
    app, begun = FastAPI(), asyncio.Event()

    @app.get("/")
    async def long() -> None:
        begun.set()
        await asyncio.Event().wait()

    _, recorder = watch(app)
    async with serving(app) as served:
        task = asyncio.create_task(served.get("/"))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (event,) = recorder.events("http.request.completed")
    assert event["status"] == 499
    assert recorder.metric("http_server_active_requests", http_request_method="GET") == 0


async def test_cancelled_after_its_last_word() -> None:
    """A request that is cancelled while its last message waits for the client is told once."""
    app, begun = FastAPI(), asyncio.Event()

    @app.get("/")
    async def short() -> PlainTextResponse:
        return PlainTextResponse("x", background=BackgroundTask(work))

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    _, recorder = watch(app)
    async with serving(app) as served:
        task = asyncio.create_task(served.get("/"))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (event,) = recorder.events("http.request.completed")
    assert event["status"] == 200
    assert recorder.metric("http_server_active_requests", http_request_method="GET") == 0


async def talk(served: Served, path: str, headers: list[tuple[bytes, bytes]]) -> list[dict[str, Any]]:
    """Open a websocket, say one word, hear the answers."""
    heard: list[dict[str, Any]] = []
    said = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}]

    async def receive() -> dict[str, Any]:
        return said.pop(0) if said else {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Any) -> None:
        heard.append(message)

    scope = served.scope("GET", path, headers, "203.0.113.9", "")
    del scope["method"]
    await served.app(scope | {"type": "websocket", "scheme": "ws", "subprotocols": []}, receive, send)
    return heard


async def test_websocket_is_served() -> None:
    """A websocket passes through, layers included."""

    class Through:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope, receive, send)

    app = FastAPI()

    @app.websocket("/ws")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    watch(app, layers=(Layer("through", Through),))
    async with serving(app) as served:
        heard = await talk(served, "/ws", [])
    assert [message["type"] for message in heard] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert heard[1]["text"] == "hello"
