"""Traces of work that no request waits for."""

import asyncio

import pytest
from fastapi import FastAPI
from opentelemetry import trace

from telemetry import SpanIds, current_ids, get_logger
from telemetry.testing import Recorder
from tests.telemetry.asgi import serving, watch
from tests.telemetry.model_calls import on_the_wire, watched

log = get_logger("test.cycle")
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def ids_of(span) -> SpanIds:
    """The ids of a span that has ended."""
    return SpanIds(f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}", sampled=True)


def test_root_span_is_a_trace_of_its_own() -> None:
    """A root span inside another one has no parent and another trace; afterwards the other one is the current again."""
    telemetry, recorder = watched()
    with telemetry.span("startup") as startup:
        with telemetry.root_span("cache_warming.cycle", [current_ids()], prompts=2), telemetry.span("inner"):
            pass
        assert trace.get_current_span() is startup
    inner, cycle, startup = recorder.spans
    assert (cycle.name, cycle.kind.name, dict(cycle.attributes)) == ("cache_warming.cycle", "INTERNAL", {"prompts": 2})
    assert cycle.parent is None
    assert inner.parent == cycle.context
    assert cycle.context.trace_id != startup.context.trace_id
    (link,) = cycle.links
    assert (link.context.trace_id, link.context.span_id) == (startup.context.trace_id, startup.context.span_id)


def test_ids_of_another_process_are_linked() -> None:
    """Ids that were kept as hexadecimal text lead back to their span, on the wire too."""
    with on_the_wire() as (telemetry, receiver), telemetry.root_span("briefing", [SpanIds(TRACE, SPAN, sampled=True)]):
        pass
    (sent,) = receiver.spans
    (link,) = sent.links
    assert (link.trace_id.hex(), link.span_id.hex()) == (TRACE, SPAN)


@pytest.mark.parametrize(
    ("trace_id", "span_id"),
    [
        ("", ""),
        (TRACE, ""),
        ("0" * 32, SPAN),
        (TRACE, "0" * 16),
        (TRACE.upper(), SPAN),
        (f"0x{TRACE[2:]}", SPAN),
        (f"{TRACE}\n", SPAN),
        (f" {TRACE[1:]}", SPAN),
        (f"{TRACE[:15]}_{TRACE[16:]}", SPAN),
        (TRACE, "bob@example.com!"),
        ("\N{ARABIC-INDIC DIGIT ONE}" * 32, SPAN),
    ],
)
def test_what_are_no_ids_is_not_linked(trace_id: str, span_id: str) -> None:
    """Whatever a database holds in the place of ids, the work is done, and linked to what are ids."""
    telemetry, recorder = watched()
    with telemetry.root_span("briefing", [SpanIds(trace_id, span_id, True), SpanIds(TRACE, SPAN, False)]):
        pass
    (span,) = recorder.spans
    assert [f"{link.context.trace_id:032x}" for link in span.links] == [TRACE]


async def test_lines_have_the_ids_of_their_own_trace() -> None:
    """Lines of work that a request began have that work's trace and span, and lead back to the request by its id."""
    app = FastAPI()
    telemetry, recorder = watch(app)
    works = []

    async def work() -> None:
        with telemetry.root_span("briefing"):
            log.info("test.root")
            with telemetry.genai.agent("planner"):
                log.info("test.agent")
            log.info("test.root")

    @app.get("/")
    async def begin() -> None:
        works.append(asyncio.create_task(work()))
        log.info("test.request")

    async with serving(app) as served:
        answer = await served.get("/")
        await asyncio.gather(*works)
    spans = {span.name: ids_of(span) for span in recorder.spans}
    root, agent = spans["briefing"], spans["invoke_agent planner"]
    request = SpanIds(answer.trace_id, answer.span_id, sampled=True)
    assert root.trace_id == agent.trace_id != request.trace_id
    assert told(recorder, "test.root") == [root, root]
    assert told(recorder, "test.agent") == [agent]
    assert told(recorder, "test.request") == [request]
    assert {line["request_id"] for line in recorder.lines if line["logger"] == "test.cycle"} == {
        answer.header("x-request-id")
    }


def told(recorder: Recorder, event: str) -> list[SpanIds]:
    """The ids on the lines of an event."""
    return [SpanIds(line["trace_id"], line["span_id"], sampled=True) for line in recorder.events(event)]


async def test_lines_of_an_unsampled_trace_have_its_ids() -> None:
    """Ids are on the lines whether or not the trace is recorded."""
    app = FastAPI()
    telemetry, recorder = watch(app, sampler="always_off")
    async with serving(app):
        with telemetry.root_span("cycle"):
            ids = current_ids()
            log.info("test.cycle")
    assert not ids.sampled
    assert [line["trace_id"] for line in recorder.events("test.cycle")] == [ids.trace_id]


def test_failure_of_a_root_span() -> None:
    """An exception that leaves a root span is its failure."""
    telemetry, recorder = watched()
    with pytest.raises(OSError, match="disk"), telemetry.root_span("cycle"):
        raise OSError("disk")
    (span,) = recorder.spans
    assert (span.status.description, span.attributes["error.type"]) == ("OSError", "OSError")
