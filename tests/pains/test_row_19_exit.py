"""Row 19: exit hangs with the collector down; SIGTERM loses the last spans (posthog#70964, otel-python#4813)."""

import asyncio
import socket
from time import monotonic

import pytest

from tests.otlp_receiver import OtlpReceiver
from tests.patience import PATIENCE
from tests.service.run.process import running

# A stop is over 5 s after its signal, which `benchmarks.shutdown` measures; here the machine may stand still meanwhile.
DEADLINE = 5 + 25
REQUESTS = 50


async def load(service, requests=REQUESTS):
    """Ask for many things on one connection; the trace ids of the answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    traces = []
    request = service.request("/api/v1/jobs?limit=1").replace(b"Connection: close\r\n", b"")
    for _ in range(requests):
        writer.write(request)
        traces.append(await answered(reader))
    writer.close()
    return traces


async def answered(reader):
    """Read a whole response; its trace id."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    return head.partition(b"traceresponse: 00-")[2].partition(b"-")[0].decode()


@pytest.fixture
async def silent():
    """An endpoint that accepts and never answers."""
    held, accepted = [], asyncio.Event()

    def hold(reader, writer):
        held.append(writer)
        accepted.set()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", accepted
    server.close()
    for writer in held:
        writer.close()


async def test_row_19_an_endpoint_that_never_answers_does_not_hold_the_exit(tmp_path, silent):
    """posthog#70964: with an endpoint that accepts and never answers, 5 s from signal to exit; the loss is said."""
    endpoint, accepted = silent
    async with running(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) as service:
        await load(service)
        async with asyncio.timeout(PATIENCE):
            await accepted.wait()
        signalled = monotonic()
        service.signal()
        assert await service.ended() == 0
        assert monotonic() - signalled <= DEADLINE
    assert b'"event":"telemetry.flush.incomplete"' in service.stdout
    assert service.stdout.count(b'"event":"http.request.completed"') == REQUESTS


async def test_row_19_nor_does_one_that_is_gone(tmp_path):
    """posthog#70964: with nobody at the endpoint, the same; requests are answered meanwhile."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        async with running(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) as service:
            await load(service)
            signalled = monotonic()
            service.signal()
            assert await service.ended() == 0
            assert monotonic() - signalled <= DEADLINE
    assert service.stdout.count(b'"event":"http.request.completed"') == REQUESTS
    assert b"Traceback" not in service.stdout + service.stderr


async def test_row_19_sigterm_loses_no_last_span(tmp_path):
    """opentelemetry-python#4813: spans and records of the last requests arrive, one in flight at the signal too."""
    with OtlpReceiver() as receiver:
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "DRAIN_SECONDS": "0",
            "SHUTDOWN_GRACE_SECONDS": "300",
        }
        async with running(tmp_path, "tests.story_service", **settings) as service:
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
            writer.write(service.request(f"/until?file={tmp_path / 'released'}"))
            await service.serves(1)
            traces = await load(service)
            service.signal()
            await service.refuses()
            (tmp_path / "released").touch()
            traces.append(await answered(reader))
            writer.close()
            assert await service.ended() == 0
        spans = [span.trace_id for span in receiver.server_spans]
        records = [record.trace_id for record in receiver.records if record.event == "http.request.completed"]
    assert len(set(traces)) == REQUESTS + 1
    assert sorted(spans) == sorted(traces)
    assert sorted(records) == sorted(traces)


async def test_row_19_nor_does_a_log_that_nobody_reads(tmp_path):
    """posthog#70964, for standard output: with its pipe full, requests are answered and the exit is a clean 0."""
    requests = 1000  # of more than 300 bytes of log each; a pipe holds 64 KiB
    async with running(tmp_path, DRAIN_SECONDS="0") as service:
        output = service.process._transport.get_pipe_transport(1)
        output.pause_reading()
        assert len(set(await load(service, requests))) == requests
        metrics = (await service.exchange(service.request("/metrics"))).decode()
        waiting = metrics.partition('telemetry_queue_size{signal="log_lines"} ')[2].partition("\n")[0]
        assert float(waiting) > 0
        service.signal()
        async with asyncio.timeout(DEADLINE):
            await service._readers[1]  # standard error ends with the process
        output.resume_reading()
        assert await service.ended() == 0
    assert b"Fatal" not in service.stderr
