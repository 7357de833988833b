"""A client that does not read its answers, and clients without number: neither holds anything for good."""

import asyncio
import json
import resource
import socket

import pytest

from service.server import protocol as bounds
from tests.patience import PATIENCE, until
from tests.service.run.process import running

IMPATIENT = "tests.service.run.impatient_service"
LARGE = 20_000_000


async def closed_by_server(client):
    """Wait until a client that does not read has been reset."""
    await until(lambda: client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


def connect(service):
    """A connection with a small window."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", service.port))
    return client


@pytest.mark.parametrize("keep_alive", [True, False])
async def test_a_large_response_unread(tmp_path, keep_alive):
    """Whoever does not read one large response is reset, whether the connection was to end with it or not."""
    async with running(tmp_path, IMPATIENT) as service:
        request = service.request(f"/large?size={LARGE}")
        with connect(service) as client:
            client.sendall(request.replace(b"Connection: close\r\n", b"") if keep_alive else request)
            await closed_by_server(client)


async def test_pipelined_responses_unread(tmp_path):
    """Whoever pipelines requests and reads nothing is reset; the request that ran is told as 499, and its slot free."""
    async with running(tmp_path, IMPATIENT) as service:
        request = service.request("/large?size=100000").replace(b"Connection: close\r\n", b"")
        with connect(service) as client:
            client.sendall(request * 100)
            await closed_by_server(client)
        await service.serves(0)
        service.signal()
        assert await service.ended() == 0
        events = [json.loads(line) for line in service.stdout.splitlines()]
        told = [event["status"] for event in events if event.get("route") == "/large"]
        assert told[-1] == 499
        assert set(told[:-1]) == {200}
        assert b"Traceback" not in service.stdout + service.stderr


async def test_a_slow_reader_is_served(tmp_path):
    """Whoever reads slowly, but reads, gets all of it, however long it takes."""
    async with running(tmp_path, IMPATIENT) as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=4096)
        writer.write(service.request(f"/large?size={LARGE}"))
        received = 0
        while chunk := await reader.read(LARGE // 25):
            received += len(chunk)
            if received // 1_000_000 != (received - len(chunk)) // 1_000_000:
                await asyncio.sleep(0.3)
        writer.close()
        assert received > LARGE


async def test_one_connection_too_many(tmp_path):
    """Beyond the cap a connection gets a bare 503, and is counted; once another has gone there is room again."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard > bounds.SPARE_DESCRIPTORS + 3
    async with running(tmp_path, "tests.service.run.crowded_service") as service:
        held = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(3)]
        answer = await service.exchange(service.request("/fast"))
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"\r\nretry-after: 1\r\nconnection: close\r\n\r\n" in answer
        for client in held:
            client.close()
        refused = 1
        async with asyncio.timeout(PATIENCE):
            while (await service.exchange(service.request("/fast"))).startswith(b"HTTP/1.1 503 "):
                refused += 1
        assert await service.metric("http_server_invalid_requests_total") == refused


@pytest.mark.parametrize(
    ("soft", "most"), [(1024, 924), (20_000, 10_000), (resource.RLIM_INFINITY, 10_000), (50, 1)]
)  # fmt: skip
def test_the_cap_leaves_descriptors(monkeypatch, soft, most):
    """The cap is 10,000, or what the process may open less what it needs for itself."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, resource.RLIM_INFINITY))
    assert bounds.most_connections() == most


@pytest.mark.parametrize(("soft", "said"), [(64, "1"), (200, "100"), (228, None), (resource.RLIM_INFINITY, None)])
def test_few_descriptors_are_said(monkeypatch, soft, said):
    """Where the descriptors leave little room, the start says how much."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, resource.RLIM_INFINITY))
    lines = [f"ulimit -n: limits connections to {said} at once; 1024 or more is better"] if said else []
    assert list(bounds.room()) == lines
