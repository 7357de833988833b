"""A client that says with its FIN that it has nothing more to ask (`nc -N`) still wants its answers."""

import asyncio
import re

import pytest
import pytest_asyncio

from tests.patience import PATIENCE
from tests.service.run.process import running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory):
    """One process for all tests; at its end nothing is open and its log is clean."""
    async with running(tmp_path_factory.mktemp("service"), "tests.service.run.slow_service") as process:
        yield process
        await process.serves(0)
        process.signal()
        assert await process.ended() == 0
        assert b"Traceback" not in process.stdout + process.stderr


async def until_closed(service, data):
    """Send bytes and a FIN; all that comes until the server closes, which it must."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(data)
    writer.write_eof()
    async with asyncio.timeout(PATIENCE):
        received = await reader.read()
    writer.close()
    return received


def asked(service, target, **more):
    """A request that would keep its connection."""
    return service.request(target, **more).replace(b"Connection: close\r\n", b"")


def statuses(received):
    """The status of every answer."""
    return re.findall(rb"HTTP/1\.1 (\d+)", received)


async def test_an_answer_after_the_fin(service):
    """A request is answered although its client has ended its side, then the connection ends."""
    received = await until_closed(service, asked(service, "/slow?seconds=0.3"))
    assert statuses(received) == [b"200"]
    assert b"\r\nconnection: close\r\n" in received


async def test_all_answers_after_the_fin(service):
    """So are all pipelined ones."""
    assert statuses(await until_closed(service, asked(service, "/slow?seconds=0.2") * 3)) == [b"200"] * 3


async def test_a_large_answer_after_the_fin(service):
    """A large answer comes whole."""
    received = await until_closed(service, asked(service, "/large?size=20000000"))
    assert len(received.partition(b"\r\n\r\n")[2]) == 20_000_000


async def test_a_stream_after_the_fin(service):
    """A stream comes to its end."""
    assert (await until_closed(service, asked(service, "/stream?parts=5"))).endswith(b"\r\n0\r\n\r\n")


async def test_half_a_request_behind_a_whole_one(service):
    """What is whole is answered, the half behind it is not."""
    assert statuses(await until_closed(service, asked(service, "/slow?seconds=0.3") + b"GET /he")) == [b"200"]


async def test_half_a_request(service):
    """A request that will never be whole is no reason to keep a connection."""
    body = ("Content-Length: 100", "Content-Type: application/json")
    head = service.request("/api/v1/applications", *body, method="POST")
    for data in (b"", b"GET /he", head + b"{"):
        assert await until_closed(service, data) == b""
