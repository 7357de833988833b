"""Cover letters as Server-Sent Events: who gets them, and what they are."""

from functools import partial

import pytest

from service.routes import cover_letters
from service.routes.event_stream import EventStream
from tests.patience import PATIENCE
from tests.service.answers.asking import EVENTS, LETTER, LETTERS, events, said
from tests.service.answers.running import started

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "accepted",
    [
        ["text/event-stream"],
        ["TEXT/Event-Stream"],
        ["text/event-stream;q=0.5, application/json"],
        ["application/json, text/event-stream ; Q=0.001"],
        ["application/json", "text/event-stream"],
        ["text/event-stream; charset=utf-8;q=1.000"],
        [",, text/event-stream,"],
    ],
)
async def test_whoever_accepts_events_gets_them(client, accepted):
    """A client that names the type gets the stream, however it spells or weighs it."""
    answer = await client.post(LETTERS, json=LETTER, headers=[("accept", value) for value in accepted])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


@pytest.mark.parametrize(
    "accepted",
    [
        "*/*",
        "text/*",
        "application/json",
        "text/event-stream;q=0",
        "text/event-stream; q=0.000, */*",
        "text/event-streams",
        "application/json; profile=text/event-stream",
        "",
    ],
)
async def test_everybody_else_gets_json(client, accepted):
    """A client that does not name the type, or will not have it, gets JSON."""
    answer = await client.post(LETTERS, json=LETTER, headers={"Accept": accepted})
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json")


async def test_a_stream_is_the_letter(client, service):
    """The tokens are the content that `done` has, which is what is kept; no proxy is to hold or keep it."""
    answer = await client.post(LETTERS, json=LETTER, headers=EVENTS)
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["cache-control"] == "no-store"
    assert "content-length" not in answer.headers
    assert answer.headers["traceresponse"]
    stream = events(answer.text)
    assert {event.name for event in stream[:-1]} == {"token"}
    assert len(stream) > 50
    letter = stream[-1].data
    assert (stream[-1].name, letter["content"]) == ("done", said(stream))
    assert (await client.get(f"{LETTERS}/{letter['id']}")).json() == letter
    whole = (await client.post(LETTERS, json=LETTER)).json()
    assert whole["content"] == letter["content"]
    assert service.is_at_rest()


async def test_a_silence_is_filled(simulated, monkeypatch, tmp_path):
    """While nothing comes there are comments between the events, and the events are the same."""
    monkeypatch.setattr(cover_letters, "EventStream", partial(EventStream, heartbeat=0.05))
    simulated.ask("PUT", "/faults", {"fault": "stall_after:20"})
    urls = {"SIMULATED_PROVIDER_URL": simulated.url}
    async with started(tmp_path, LLM_TOTAL_SECONDS="8", **urls) as service, service.client() as client:
        answer = await client.post(LETTERS, json=LETTER, headers=EVENTS)
    beats = [block for block in answer.text.split("\n\n") if block.startswith(":")]
    assert len(beats) >= 3
    assert all("\n" not in beat for beat in beats)
    assert [event.name for event in events(answer.text)][-1] == "error"


async def test_heartbeats_do_not_come_into_a_busy_stream(client, simulated, monkeypatch):
    """While words come there are no comments."""
    monkeypatch.setattr(cover_letters, "EventStream", partial(EventStream, heartbeat=PATIENCE))
    simulated.ask("PUT", "/faults", {"fault": "slow:2"})
    answer = await client.post(LETTERS, json=LETTER, headers=EVENTS)
    assert [event.name for event in events(answer.text)][-1] == "done"
    assert "\n:" not in answer.text
