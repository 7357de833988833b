"""Stopping: nobody is dropped, and it ends in time (posthog#70964, opentelemetry-python#4813)."""

import asyncio
import re
import signal
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest
from fastapi import FastAPI
from uvicorn import Config

from service import shutdown
from service.readiness import Readiness
from service.shutdown import DrainingServer
from service.startup import QuietLifespan
from tests.patience import PATIENCE, until
from tests.service.run.load import ENOUGH, Outcome, under_load
from tests.service.run.process import environment, running, spawn

SLOW = "tests.service.run.slow_service"
# A stop is over 5 s after its signal, which `benchmarks.shutdown` measures; here the machine may stand still meanwhile.
BOUND = 5 + 25
FOREVER = "300"


async def held(service, file):
    """A request that is being served until there is a file of that name."""
    answer = asyncio.create_task(service.exchange(service.request(f"/until?file={file}")))
    await service.serves(1)
    return answer


def catches(pid, number):
    """Whether a process has a handler for a signal."""
    caught = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return bool(int(caught[1], 16) >> number - 1 & 1)


@pytest.mark.parametrize("run", range(3))
@pytest.mark.parametrize("route", ["/fast", "/slow"])
async def test_sigterm_under_load_loses_nothing(tmp_path, route, run):
    """Every request that 50 clients could send, before SIGTERM or after it, is answered whole; the status is 0.

    Whoever sends when the listener has closed is answered, or finds an end and no reset.
    """
    result = await under_load(tmp_path, route)
    assert set(result.before_signal) == {Outcome.ANSWERED}
    assert len(result.before_signal) >= ENOUGH
    assert result.closing_answers >= 1
    assert set(result.after_signal) <= {Outcome.ANSWERED}
    assert set(result.late) <= {Outcome.ANSWERED, Outcome.ENDED}
    assert result.status == 0
    assert result.seconds < BOUND


async def test_an_idle_connection_is_ended_not_reset(tmp_path):
    """An idle connection ends with a FIN; a request that crosses it meets no reset."""
    async with running(tmp_path, SLOW, DRAIN_SECONDS="0", SHUTDOWN_GRACE_SECONDS=FOREVER) as service:
        answer = await held(service, tmp_path / "released")
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
        service.signal()
        await until(reader.at_eof)
        for _ in range(3):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.sleep(0.05)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        (tmp_path / "released").touch()
        assert (await answer).startswith(b"HTTP/1.1 200 ")
        assert await service.ended() == 0


async def test_whoever_was_not_told_is_not_reset(tmp_path):
    """A client whose answer had begun without `Connection: close` may send on, and meets no reset."""
    async with running(tmp_path, SLOW, DRAIN_SECONDS="0.2", SHUTDOWN_GRACE_SECONDS=FOREVER) as service:
        answer = await held(service, tmp_path / "released")
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        asked = service.request("/stream?parts=15").replace(b"Connection: close\r\n", b"")
        writer.write(asked)
        assert b"connection: close" not in await reader.readuntil(b"\r\n\r\n")
        service.signal()
        await service.refuses()
        await reader.readuntil(b"\r\n0\r\n\r\n")
        for _ in range(3):
            writer.write(asked)
            await asyncio.sleep(0.02)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        (tmp_path / "released").touch()
        assert (await answer).startswith(b"HTTP/1.1 200 ")
        assert await service.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_draining(tmp_path, number):
    """While it drains the listener is open, readiness is 503 with its reason and answers end their connection."""
    asked = b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"
    async with running(tmp_path, SLOW, DRAIN_SECONDS=FOREVER) as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(asked)
        before = await reader.readuntil(b"}")
        assert before.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" not in before
        writer.close()
        service.signal(number)
        await service.drains()
        ready = await service.exchange(asked)
        assert ready.startswith(b"HTTP/1.1 503 ")
        assert b'"reason": "draining"' in ready
        assert b"\r\nconnection: close\r\n" in ready
        alive = await service.exchange(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert alive.startswith(b"HTTP/1.1 200 ")
        service.signal(number)
        assert await service.ended() == 0
        assert b"Traceback" not in service.stdout + service.stderr


async def test_in_flight_requests_have_their_grace(tmp_path):
    """A request in flight when the listener closes is still answered within the grace."""
    async with running(tmp_path, SLOW, DRAIN_SECONDS="0.2", SHUTDOWN_GRACE_SECONDS=FOREVER) as service:
        answer = await held(service, tmp_path / "released")
        service.signal()
        await service.refuses()
        (tmp_path / "released").touch()
        assert (await answer).startswith(b"HTTP/1.1 200 ")
        assert await service.ended() == 0


async def test_what_outlives_the_grace_is_cancelled_and_told(tmp_path):
    """After the grace a request is cancelled; its access event is written and the status is still 0."""
    async with running(tmp_path, SLOW, DRAIN_SECONDS="0", SHUTDOWN_GRACE_SECONDS="0.5") as service:
        answer = await held(service, tmp_path / "never")
        began = monotonic()
        service.signal()
        assert await service.ended() == 0
        assert monotonic() - began < BOUND
        assert not (await answer).startswith(b"HTTP/1.1 2")
        assert b'"route":"/until"' in service.stdout
        assert b"Traceback" not in service.stdout + service.stderr


async def test_the_whole_stop_is_bounded(tmp_path):
    """With the default times, a request that never ends and a collector that never answers, it ends within 5 s."""
    taken = []
    server = await asyncio.start_server(lambda reader, writer: taken.append((reader, writer)), "127.0.0.1", 0)
    endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with running(tmp_path, SLOW, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) as service:
        answer = await held(service, tmp_path / "never")
        began = monotonic()
        service.signal()
        assert await service.ended() == 0
        assert monotonic() - began <= BOUND
        await answer
    server.close()
    for _, writer in taken:
        writer.close()


async def test_a_second_signal_hurries(tmp_path):
    """A second Ctrl-C skips the drain and the grace."""
    async with running(tmp_path, SLOW, DRAIN_SECONDS=FOREVER, SHUTDOWN_GRACE_SECONDS=FOREVER) as service:
        answer = await held(service, tmp_path / "never")
        service.signal(signal.SIGINT)
        await service.drains()
        service.signal(signal.SIGINT)
        assert await service.ended() == 0
        await answer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("delay", [0, 0.4, 0.7, 1.0, 1.3, 1.6])
async def test_a_signal_during_the_start(tmp_path, number, delay):
    """Whatever the start is doing when the signal comes, it ends with 0 and without a traceback."""
    process = await spawn("-m", "service", "run", env=environment(tmp_path, DRAIN_SECONDS="0"))
    await until(lambda: catches(process.pid, signal.SIGTERM))  # before that it is the interpreter that starts
    await asyncio.sleep(delay)
    process.send_signal(number)
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in out + err


async def test_a_signal_as_the_start_ends():
    """A signal that comes just before the start is over does not interrupt the service that has started."""
    server = DrainingServer(Config(None), Readiness(), drain=0, grace=0)
    server._serving = asyncio.create_task(asyncio.sleep(0.01, "served"))
    server.handle_exit(signal.SIGTERM, None)
    server.started = True
    assert await server._serving == "served"


async def test_a_stop_that_is_not_waited_for_is_quiet(monkeypatch, caplog):
    """What the resources need longer for than a stop may take is cancelled with the loop, and that is no news."""

    @asynccontextmanager
    async def lifespan(_app):
        yield
        await asyncio.sleep(PATIENCE)

    config = Config(FastAPI(lifespan=lifespan), lifespan="on", log_config=None)
    config.load()
    server = DrainingServer(config, Readiness(), drain=0, grace=0)
    server.lifespan = QuietLifespan(config, Readiness())
    before = asyncio.all_tasks()
    await server.lifespan.startup()
    (task,) = asyncio.all_tasks() - before
    monkeypatch.setattr(shutdown, "CLOSING", 0.01)
    await server._close_lifespan()
    task.cancel()
    await asyncio.wait([task])
    loud = [record for record in caplog.records if record.levelname == "ERROR" and "quiet" not in record.name]
    assert loud == []
    assert server.lifespan.shutdown_failed


async def test_a_collector_that_hangs_up(tmp_path):
    """With an endpoint that closes every connection, what still waits at the stop does not abort the process."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with running(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}") as service:
        for _ in range(200):
            await service.exchange(service.request("/api/v1/jobs?limit=1"))
        service.signal()
        assert await service.ended() == 0
    server.close()


async def test_a_collector_that_never_answers(tmp_path):
    """With an endpoint that accepts and never answers, the process ends within 5 s of the signal."""
    taken = []
    server = await asyncio.start_server(lambda reader, writer: taken.append((reader, writer)), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with running(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}") as service:
        for _ in range(20):
            await service.exchange(service.request("/api/v1/jobs?limit=1"))
        await until(lambda: taken)
        began = monotonic()
        service.signal()
        assert await service.ended() == 0
        assert monotonic() - began <= BOUND
    server.close()
    for _, writer in taken:
        writer.close()
