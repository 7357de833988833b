"""Row 1: context variables bound in an endpoint are lost under BaseHTTPMiddleware (starlette#1525, #2943)."""

from contextvars import ContextVar

from fastapi import BackgroundTasks, FastAPI
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import StreamingResponse
from structlog.contextvars import bind_contextvars

from telemetry import Layer, get_logger

order: ContextVar[str] = ContextVar("order", default="lost")
log = get_logger(__name__)


class Looking:
    """A layer of the chain that looks at what was bound below it."""

    def __init__(self, app, seen):
        self.app = app
        self.seen = seen

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)
        self.seen.append(order.get())
        log.info("test.layer")


async def test_row_01_what_an_endpoint_binds_reaches_the_layers_around_it(small):
    """starlette#1525: a layer sees, and logs with, what the endpoint below it has bound."""
    app, seen = FastAPI(), []

    @app.get("/orders/{number}")
    async def get_order(number: str) -> None:
        order.set(number)
        bind_contextvars(order=number)

    async with small(app, layers=[Layer("looking", Looking, {"seen": seen})]) as served:
        answers = [await served.client.get(f"/orders/{number}") for number in range(2)]
    assert seen == ["0", "1"]
    assert [(line["order"], line["request_id"]) for line in served.recorder.events("test.layer")] == [
        (str(number), answer.headers["x-request-id"]) for number, answer in enumerate(answers)
    ]


async def test_row_01_what_an_endpoint_binds_is_on_the_access_line(small):
    """starlette#1525: the access event shows it too, and the next request's does not."""
    app = FastAPI()

    @app.get("/orders/{number}")
    async def get_order(number: str) -> None:
        if number != "0":
            bind_contextvars(order=number)

    async with small(app) as served:
        for number in (7, 0):
            await served.client.get(f"/orders/{number}")
    assert [line.get("order") for line in served.recorder.events("http.request.completed")] == ["7", None]


async def test_row_01_what_a_layer_binds_reaches_everything_below(small):
    """starlette#2943: what is bound on the way in is there in a stream's body and in a background task."""
    app = FastAPI()

    class Binding:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            bind_contextvars(tenant=scope["path"])
            await self.app(scope, receive, send)

    def in_a_thread():
        log.info("test.background")

    @app.get("/streamed")
    async def streamed(tasks: BackgroundTasks) -> StreamingResponse:
        async def body():
            for _ in range(2):
                log.info("test.body")
                yield b"."

        tasks.add_task(in_a_thread)
        return StreamingResponse(body(), background=tasks)

    async with small(app, layers=[Layer("binding", Binding)]) as served:
        answer = await served.client.get("/streamed")
    told = [line for line in served.recorder.lines if line["event"].startswith("test.")]
    assert [line["event"] for line in told] == ["test.body", "test.body", "test.background"]
    assert {(line["tenant"], line["request_id"]) for line in told} == {("/streamed", answer.headers["x-request-id"])}


async def test_row_01_no_layer_of_the_service_is_of_that_kind(real):
    """Nothing between the server and the routes of the service is a BaseHTTPMiddleware."""
    async with real() as served:
        await served.client.get("/api/v1/jobs", params={"limit": 1})
        layer, seen = served.app.middleware_stack, []
        while layer is not None:
            seen.append(type(layer))
            layer = getattr(layer, "app", None)
    assert len(seen) > 5
    assert not any(issubclass(kind, BaseHTTPMiddleware) for kind in seen)
