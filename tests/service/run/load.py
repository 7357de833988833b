"""Keep-alive clients over raw sockets that know exactly when a request had left."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from time import monotonic

from tests.patience import PATIENCE
from tests.service.run.process import Process, running

CLIENTS = 50
ENOUGH = 100
# The listener stays open for so long after the signal. Seconds.
DRAIN = 1.0


class Outcome(StrEnum):
    ANSWERED = "answered"
    SERVER_ERROR = "5xx"
    ENDED = "ended before the answer began"
    BROKEN = "ended in the answer"
    RESET = "reset"


@dataclass
class Result:
    """What the clients saw, and what the process did after the signal (seconds).

    `after_signal` is of what was sent while the listener was certainly open, `late` of what was sent afterwards: a
    client may find there that its connection has ended.
    """

    before_signal: list[Outcome] = field(default_factory=list)
    after_signal: list[Outcome] = field(default_factory=list)
    late: list[Outcome] = field(default_factory=list)
    closing_answers: int = 0
    access_events: int = 0
    status: int = -1
    seconds: float = 0.0


class _Load:
    def __init__(self, service: Process, route: str) -> None:
        self.service = service
        self.request = (
            f"GET {route} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {service.token.decode()}\r\n\r\n"
        ).encode()
        self.exchanges: list[tuple[float, Outcome]] = []
        self.closing = 0
        self.enough = asyncio.Event()

    async def client(self) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.service.port)
            except ConnectionError:
                return
            try:
                while await self.exchange(reader, writer):
                    pass
            finally:
                writer.close()

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(self.request)
        # Smaller than the empty socket buffer, so its last byte has left, and the time is never too early.
        assert writer.transport.get_write_buffer_size() == 0 or writer.transport.is_closing()
        sent = monotonic()
        head = b""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        except asyncio.IncompleteReadError as end:
            self.exchanges.append((sent, Outcome.BROKEN if end.partial or head else Outcome.ENDED))
            return False
        except ConnectionError:
            self.exchanges.append((sent, Outcome.RESET))
            return False
        failed = head.split(b" ", 2)[1].startswith(b"5")
        self.exchanges.append((sent, Outcome.SERVER_ERROR if failed else Outcome.ANSWERED))
        if len(self.exchanges) >= ENOUGH:
            self.enough.set()
        if b"connection: close" in head:
            self.closing += 1
            return False
        return True


async def under_load(directory: Path, route: str, **settings: str) -> Result:
    """Start the service, load it until it has given enough answers, send SIGTERM, and wait for the end."""
    result = Result()
    given = {"DRAIN_SECONDS": str(DRAIN), **settings}
    async with running(directory, "tests.service.run.slow_service", **given) as service:
        load = _Load(service, route)
        clients = [asyncio.create_task(load.client()) for _ in range(CLIENTS)]
        async with asyncio.timeout(PATIENCE):
            await load.enough.wait()
        # Taken before the signal: whatever was sent by now had certainly left before it.
        signalled = monotonic()
        service.signal()
        result.status = await service.ended()
        result.seconds = monotonic() - signalled
        for client in clients:
            client.cancel()
            with suppress(asyncio.CancelledError):
                await client
        for sent, outcome in load.exchanges:
            if sent < signalled:
                result.before_signal.append(outcome)
            elif sent < signalled + DRAIN:
                result.after_signal.append(outcome)
            else:
                result.late.append(outcome)
        result.closing_answers = load.closing
        result.access_events = service.stdout.count(b'"event":"http.request.completed"')
    return result
