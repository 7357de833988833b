"""Row 15: "Failed to detach context" from generators (openlit#1369, phoenix#11362)."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import Context
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry import trace
from starlette.responses import StreamingResponse

from telemetry import Telemetry
from tests.telemetry.asgi import serving, watch
from tests.telemetry.model_calls import facts

Open = Callable[[Telemetry], Any]
# What may be open while a generator yields: a call's span, which is meant for it, and what is not.
OURS: dict[str, Open] = {
    "call": lambda telemetry: telemetry.genai.call(facts()),
    "span": lambda telemetry: telemetry.span("work"),
    "root_span": lambda telemetry: telemetry.root_span("cycle"),
    "agent": lambda telemetry: telemetry.genai.agent("planner"),
    "tool": lambda telemetry: telemetry.genai.tool("search_jobs", "toolu_1"),
}


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What OpenTelemetry says of contexts, where it says it: our chain passes none of its records on."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logger = logging.getLogger("opentelemetry.context")
    logger.addHandler(handler)
    yield said
    logger.removeHandler(handler)


async def pieces(telemetry: Telemetry, opened: Open, ended: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    """A stream with something open around its pieces; `ended` is set when it is left."""
    try:
        with opened(telemetry):
            yield b"one"
            yield b"two"
    finally:
        if ended is not None:
            ended.set()


async def closed_by_another_task(stream: Any) -> None:
    """Close a stream where its context is not the current one."""
    await asyncio.get_running_loop().create_task(stream.aclose(), context=Context())


async def begun(telemetry: Telemetry, opened: Open, ended: asyncio.Event | None = None) -> Any:
    """A stream that was begun by a task of its own, whose context is gone with it."""
    stream = pieces(telemetry, opened, ended)

    async def first() -> None:
        assert await anext(stream) == b"one"

    await asyncio.create_task(first())
    return stream


@pytest.mark.parametrize("kind", OURS)
async def test_row_15_generator_that_is_closed_elsewhere(kind, complaints):
    """openlit#1369: a generator that is closed in another context than it began in says nothing, and ends its span."""
    app = FastAPI()
    watched = watch(app)
    async with serving(app):
        await closed_by_another_task(await begun(watched.telemetry, OURS[kind]))
        assert complaints == []
        assert len(watched.recorder.spans) == 1


@pytest.mark.parametrize("kind", OURS)
async def test_row_15_generator_that_is_abandoned(kind, complaints):
    """phoenix#11362: a generator that nobody closes is closed by the loop, in a context of its own: the same."""
    app = FastAPI()
    watched = watch(app)
    async with serving(app):
        ended = asyncio.Event()
        stream = await begun(watched.telemetry, OURS[kind], ended)
        del stream
        gc.collect()
        await ended.wait()
        assert complaints == []
        assert len(watched.recorder.spans) == 1


async def test_row_15_caller_of_a_stream_keeps_its_span(complaints):
    """While a call's stream waits for its consumer, and after it was left, the current span is the consumer's."""
    app = FastAPI()
    watched = watch(app)
    telemetry = watched.telemetry
    async with serving(app):
        with telemetry.span("consumer") as consumer:
            stream = pieces(telemetry, OURS["call"])
            await anext(stream)
            assert trace.get_current_span() is consumer
            await closed_by_another_task(stream)
            assert trace.get_current_span() is consumer
        assert trace.get_current_span() is trace.INVALID_SPAN
        call, _ = watched.recorder.spans
        assert call.parent == consumer.get_span_context()
        assert call.attributes["error.type"] == "cancelled"
        assert complaints == []


@pytest.mark.parametrize("leave_after", [2, None])
async def test_row_15_stream_over_http(leave_after, complaints):
    """A client that leaves in mid-stream, or stays: one call in the request's trace, and no complaint."""
    app = FastAPI()
    watched = watch(app)

    ended = asyncio.Event()

    @app.get("/")
    async def answer() -> StreamingResponse:
        return StreamingResponse(pieces(watched.telemetry, OURS["call"], ended))

    async with serving(app) as served:
        told = await served.get("/", leave_after=leave_after)
        gc.collect()
        await ended.wait()
    (call,) = [span for span in watched.recorder.spans if span.kind.name == "CLIENT"]
    assert f"{call.parent.span_id:016x}" == told.span_id
    assert complaints == []


async def test_row_15_opentelemetrys_own_way_does_complain(complaints):
    """What the others look for is what OpenTelemetry's own `with` writes in a generator."""
    app = FastAPI()
    watched = watch(app)
    tracer = watched.telemetry.tracing.provider.get_tracer("theirs")
    async with serving(app):
        await closed_by_another_task(await begun(watched.telemetry, lambda _: tracer.start_as_current_span("theirs")))
        assert complaints == ["Failed to detach context"]
