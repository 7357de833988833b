"""A head has its time, and no more (slowloris)."""

import asyncio

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from service.readiness import Readiness
from service.server import BoundedProtocol, bounded
from service.server import protocol as bounds


class Transport(asyncio.Transport):
    """Records what a protocol does to its connection."""

    def __init__(self):
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data):
        self.written += data

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


@pytest.fixture
async def connection(monkeypatch):
    """A connection whose time runs a hundred times as fast."""

    async def app(scope, receive, send):
        raise AssertionError("nothing may be served")

    monkeypatch.setattr(bounds, "HEAD_TIMEOUT", 0.15)
    refused = []
    config = Config(
        app, http=bounded(lambda: refused.append(1), Readiness()), ws="none", log_config=None, interface="asgi3"
    )
    config.loaded_app = app
    config.loaded = True
    config.ws_protocol_class = None
    protocol: BoundedProtocol = config.http(config, ServerState(), {}, asyncio.get_running_loop())
    transport = Transport()
    protocol.connection_made(transport)
    yield protocol, transport, refused
    protocol.connection_lost(None)


async def test_a_slow_head_is_408(connection):
    """A head that is not complete in time is answered with a bare 408, however it trickles in."""
    protocol, transport, refused = connection
    for byte in b"GET / HTT":
        protocol.data_received(bytes((byte,)))
        await asyncio.sleep(0.02)
    assert transport.written.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert transport.closed
    assert refused == [1]


async def test_a_silent_connection_is_closed(connection):
    """A connection that says nothing is closed without an answer."""
    _, transport, refused = connection
    await asyncio.sleep(0.3)
    assert (transport.written, transport.closed, refused) == (b"", True, [])
