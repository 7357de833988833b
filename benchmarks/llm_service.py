"""What the benchmarks of the language model side share: a service, its caller, and the provider that it asks."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.commands.token import make_token
from service.settings import Settings
from tests.service.run.process import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.service.run.process import Process

SECRET = "a-benchmark-secret-of-thirty-two-bytes-or-more"  # noqa: S105 - signs tokens for nobody but a benchmark
LETTERS = "/api/v1/cover-letters"
_CV = "Ten years of Python at Aldersgate, of Kubernetes at Brightwater, and a degree in Mathematics. CV {}."
_UNLIMITED = {"limit": 10_000_000, "tokens": None, "concurrency": None}
_RATE_LIMITS = json.dumps(
    {"default": {"limit": 10_000_000}, "auth": {"limit": 10_000_000}, "llm": _UNLIMITED, "questions": _UNLIMITED}
)
_TOKEN_EVENT = re.compile(rb'event: token\ndata: \{"text":(.*)\}\n\n')


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a profile, on one service.

    Attributes:
        port: the service's.
        token: theirs.
    """

    port: int
    token: str

    def request(self, method: str, path: str, body: Any = None, accept: str = "application/json") -> bytes:
        """Give the bytes of a request that keeps its connection."""
        data = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\nAccept: {accept}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        return head.encode() + data

    def letter(self, job_id: str, length: str = "medium") -> bytes:
        """Give the bytes of a request for a letter, event by event."""
        return self.request("POST", LETTERS, {"job_id": job_id, "length": length}, "text/event-stream")

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Give the JSON of an answer.

        Raises:
            RuntimeError: it is no success.
        """
        async with connected(self.port) as connection:
            connection.write(self.request(method, path, body))
            return json.loads(await connection.whole())

    async def settle_in(self, number: int = 0) -> None:
        """Put a profile, of which every number has another one."""
        profile = {"name": "Ada", "email": "ada@example.com", "cv_content": _CV.format(number)}
        await self.ask("PUT", "/api/v1/profiles/me", profile)

    async def jobs(self, count: int) -> list[str]:
        """Give the ids of some jobs, 100 at most."""
        found = await self.ask("GET", f"/api/v1/jobs?limit={count}")
        return [item["id"] for item in found["items"]]


class Connection:
    """A client's connection: one request at a time.

    Args:
        reader: of the socket.
        writer: of the socket.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def write(self, data: bytes) -> None:
        """Send a request."""
        self._writer.write(data)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the body of an answer as it comes.

        Raises:
            RuntimeError: the answer is no success.
        """
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = re.search(rb"\r\ncontent-length: ([0-9]+)", head)
        if length is not None:
            body = await self._reader.readexactly(int(length[1]))
        if head.split(b" ", 2)[1][:1] != b"2":
            raise RuntimeError(head if length is None else body)
        if length is not None:
            yield body
            return
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            yield (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readexactly(2)

    async def whole(self) -> bytes:
        """Give the whole body of an answer."""
        return b"".join([chunk async for chunk in self.chunks()])

    def reset(self) -> None:
        """Leave, whatever is on its way."""
        self._writer.transport.abort()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    """Open a connection to a port of this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def service(
    directory: Path, provider: str, module: str = "service", **settings: str
) -> AsyncIterator[tuple[Process, Caller]]:
    """Run a service whose limits are out of the way, with a caller who has a profile.

    Args:
        directory: where it keeps its data.
        provider: the URL of who answers it.
        module: what is run.
        settings: further ones.
    """
    given = {"RATE_LIMITS": _RATE_LIMITS, "JWT_SECRET": SECRET, "SIMULATED_PROVIDER_URL": provider, **settings}
    async with running(directory, module, **given) as process:
        caller = callers(directory, process.port, 1)[0]
        await caller.settle_in()
        yield process, caller


def callers(directory: Path, port: int, count: int) -> list[Caller]:
    """Give some callers of a service, each somebody else."""
    settings = Settings.load({"DATA_DIR": str(directory), "JWT_SECRET": SECRET})
    return [Caller(port, make_token(settings, f"caller-{number}", (), 24 * 3600)) for number in range(count)]


def said(body: bytes) -> str:
    """Give the text that the `token` events of a body make."""
    return "".join(json.loads(text) for text in _TOKEN_EVENT.findall(body))


def cpu_seconds(pid: int) -> float:
    """Give the CPU time of a process so far, all threads, user space and kernel: seconds."""
    runtimes = (task.read_text().split()[0] for task in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(map(int, runtimes)) / 1e9


def resident_mib(pid: int) -> float:
    """Give the memory that a process holds: MiB."""
    found = re.search(r"^VmRSS:\s+([0-9]+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return 0.0 if found is None else int(found[1]) / 1024


def open_sockets(pid: int) -> int:
    """Count the sockets that a process has open."""
    return sum(str(each.readlink()).startswith("socket:") for each in Path(f"/proc/{pid}/fd").iterdir())


def metrics(text: str) -> Mapping[str, float]:
    """Give the samples of an exposition, by name and labels as they stand there."""
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}
