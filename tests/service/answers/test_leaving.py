"""Callers who leave, and a service that is told to stop, over real connections: nobody works for nobody."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from tests.patience import PATIENCE
from tests.service.answers.asking import LETTER, LETTERS, ME, PROFILE, QUESTION, QUESTIONS, code, events, letters
from tests.service.answers.running import LIMITS
from tests.service.run.process import running

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = "Accept: text/event-stream"


def posted(service, path, body, *headers, method="POST"):
    """The bytes of a request with a JSON body."""
    data = json.dumps(body).encode()
    return service.request(
        path, "Content-Type: application/json", f"Content-Length: {len(data)}", *headers, method=method, body=data
    )


@asynccontextmanager
async def started(directory, simulated, **environ):
    """A real process of the service, whose developer has a profile."""
    settings = {
        "SIMULATED_PROVIDER_URL": simulated.url, "PROMPT_CACHE_WARM_ON_STARTUP": "false", "RATE_LIMITS": LIMITS,
        "DRAIN_SECONDS": "0",
    }  # fmt: skip
    async with running(directory, **{**settings, **environ}) as service:
        assert b" 201 " in await service.exchange(posted(service, ME, PROFILE, method="PUT"))
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process(tmp_path_factory, simulated_process):
    """One for those who leave."""
    directory = tmp_path_factory.mktemp("service")
    async with started(directory, simulated_process) as service:
        service.database = directory / "data" / "clearstory.db"
        yield service


async def told(service, route, status):
    """Wait until there is an access event of that status; give the last one of the route."""
    async with asyncio.timeout(PATIENCE):
        while True:
            lines = [json.loads(line) for line in service.stdout.splitlines() if b"http.request.completed" in line]
            found = [line for line in lines if line["route"] == route and line["status"] == status]
            if found:
                return found[-1]
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("path", "body", "headers", "fault", "tokens"),
    [
        (LETTERS, LETTER, (), "stall", 0),
        (LETTERS, LETTER, (), "slow:1000", 0),
        (QUESTIONS, QUESTION, (), "stall", 0),
        (LETTERS, LETTER, (EVENTS,), "stall", 0),
        (LETTERS, LETTER, (EVENTS,), "first:60000", 0),
        (LETTERS, LETTER, (EVENTS,), "stall_after:9", 8),
        (LETTERS, LETTER, (EVENTS,), "slow:200", 2),
    ],
)  # fmt: skip
async def test_whoever_leaves_is_worked_for_no_longer(process, simulated, path, body, headers, fault, tokens):
    """The provider's side ends at once, slot and tokens are free, the access event says 499, and nothing is kept."""
    simulated.ask("PUT", "/faults", {"fault": fault})
    before, kept = simulated.ask("GET", "/state"), letters(process.database)
    process.stdout = b""
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    writer.write(posted(process, path, body, *headers))
    for _ in range(tokens):
        await reader.readuntil(b"event: token")
    await asyncio.to_thread(simulated.reached, requests=before["requests"] + 1)
    writer.transport.abort()
    state = await asyncio.to_thread(simulated.reached, cancelled=before["cancelled"] + 1)
    assert (state["cancelled"] - before["cancelled"], state["open"]) == (1, 0)
    assert state["requests"] - before["requests"] == 1
    assert (await told(process, path, 499))["method"] == "POST"
    for gauge in ("rate_limit_concurrency_in_use", "llm_tokens_reserved", "llm_provider_tokens_reserved"):
        assert await process.metric(gauge) == 0
    assert letters(process.database) == kept
    assert b"Traceback" not in process.stdout + process.stderr


@pytest.mark.parametrize(("path", "body", "headers"), [(QUESTIONS, QUESTION, ()), (LETTERS, LETTER, (EVENTS,))])
async def test_who_leaves_is_charged(process, simulated, path, body, headers):
    """What was asked and left is charged to the caller, and counts for the provider's budget: it has been read."""
    counters = ("llm_tokens_spent_total", "llm_provider_tokens_spent_total")
    before = [await process.metric(name) for name in counters]
    await test_whoever_leaves_is_worked_for_no_longer(process, simulated, path, body, headers, "stall", 0)
    after = [await process.metric(name) for name in counters]
    assert all(now - then >= 1000 for then, now in zip(before, after, strict=True))


async def test_an_end_before_the_work(process, simulated):
    """Whoever ends their side with the request itself has left as well."""
    simulated.ask("PUT", "/faults", {"fault": "stall"})
    before = simulated.ask("GET", "/state")
    process.stdout = b""
    request = posted(process, QUESTIONS, QUESTION).replace(b"Connection: close\r\n", b"")
    assert await process.exchange(request, end=True) == b""
    await told(process, QUESTIONS, 499)
    state = simulated.ask("GET", "/state")
    assert (state["open"], state["answered"]) == (0, before["answered"])


@pytest.mark.parametrize(
    ("fault", "grace", "last"),
    [("slow:5", "300", "done"), ("stall_after:9", "2", "error"), ("slow:200", "2", "error")],
)
async def test_a_stop_during_a_stream(tmp_path, simulated, fault, grace, last):
    """A stream that ends within the grace is whole; any other ends in an `error` event; the process ends in time."""
    simulated.ask("PUT", "/faults", {"fault": fault})
    before = simulated.ask("GET", "/state")
    async with started(tmp_path, simulated, SHUTDOWN_GRACE_SECONDS=grace) as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(posted(service, LETTERS, LETTER, EVENTS))
        head = await reader.readuntil(b"event: token")
        service.signal()
        rest = await reader.read()
        writer.close()
        assert await service.ended() == 0
    chunks = (head.partition(b"\r\n\r\n")[2] + rest).decode().split("\r\n")
    assert chunks[-3:] == ["0", "", ""]
    stream = events("".join(chunks[1:-3:2]))
    assert [event.name for event in stream].count("token") == len(stream) - 1
    assert stream[-1].name == last
    if last == "error":
        assert (code(stream[-1].data), stream[-1].data["reason"]) == ("llm-broken", "interrupted")
        assert simulated.reached(cancelled=before["cancelled"] + 1)["open"] == 0
    assert len(letters(tmp_path / "data" / "clearstory.db")) == (last == "done")
    assert b"Traceback" not in service.stdout + service.stderr


@pytest.mark.parametrize(
    ("path", "body", "headers"), [(LETTERS, LETTER, ()), (LETTERS, LETTER, (EVENTS,)), (QUESTIONS, QUESTION, ())]
)
async def test_a_stop_before_the_first_byte(tmp_path, simulated, path, body, headers):
    """Whoever still waits when the grace is over is told to come back; the provider is let go of, nothing is kept."""
    simulated.ask("PUT", "/faults", {"fault": "stall"})
    before = simulated.ask("GET", "/state")
    async with started(tmp_path, simulated, SHUTDOWN_GRACE_SECONDS="1") as service:
        answer = asyncio.create_task(service.exchange(posted(service, path, body, *headers), wait=PATIENCE))
        await asyncio.to_thread(simulated.reached, requests=before["requests"] + 1)
        service.signal()
        assert await service.ended() == 0
    head, _, problem = (await answer).partition(b"\r\n\r\n")
    status, *fields = head.decode().lower().split("\r\n")
    assert status == "http/1.1 503 service unavailable"
    named = dict(field.split(": ", 1) for field in fields)
    assert (named["content-type"], named["retry-after"], named["connection"]) == (
        "application/problem+json", "5", "close",
    )  # fmt: skip
    assert code(json.loads(problem)) == "unavailable"
    assert json.loads(problem)["request_id"] == named["x-request-id"]
    assert (await told(service, path, 503))["request_id"] == named["x-request-id"]
    assert simulated.reached(cancelled=before["cancelled"] + 1)["open"] == 0
    assert letters(tmp_path / "data" / "clearstory.db") == []
    assert b"Traceback" not in service.stdout + service.stderr
