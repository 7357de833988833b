"""A real process of the service, or of a test's variant of it, on a free port."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[3]
_URL = re.compile(rb"http://127\.0\.0\.1:([0-9]+)\n")
_TOKEN = re.compile(rb"TOKEN=(\S+)")
_BANNER_END = re.compile(rb"curl [^\n]*\n\n\Z")


class Process:
    """A service that runs; `port` and `token` are what its banner said."""

    def __init__(self, process: asyncio.subprocess.Process, banner: bytes) -> None:
        self.process = process
        self.port = int(_URL.search(banner)[1])
        self.token = _TOKEN.search(banner)[1]
        self.stdout = b""
        self.stderr = banner
        self._readers = [asyncio.create_task(self._read("stdout")), asyncio.create_task(self._read("stderr"))]

    async def _read(self, name: str) -> None:
        stream = getattr(self.process, name)
        while chunk := await stream.read(65536):
            setattr(self, name, getattr(self, name) + chunk)

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE):
            status = await self.process.wait()
            await asyncio.gather(*self._readers)
        return status

    async def exchange(self, data: bytes, *, end: bool = False, wait: float = PATIENCE) -> bytes:
        """Send bytes on a connection of their own, read until the server closes or `wait` seconds pass."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            if end:
                writer.write_eof()
            received = b""
            try:
                async with asyncio.timeout(wait):
                    while chunk := await reader.read(65536):
                        received += chunk
            except (TimeoutError, ConnectionError):
                pass
            return received
        finally:
            writer.close()

    async def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        text = (await self.exchange(self.request("/metrics"))).decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))

    async def serves(self, requests: int) -> None:
        """Wait until so many requests are being served."""
        async with asyncio.timeout(PATIENCE):
            while await self.metric("http_server_active_requests") != requests + 1:  # noqa: ASYNC110 - the one that asks
                await asyncio.sleep(0.01)

    async def drains(self) -> bytes:
        """Wait until the service has taken note of a signal; what it then says of its readiness."""
        async with asyncio.timeout(PATIENCE):
            while True:
                ready = await self.exchange(self.request("/readyz"))
                if ready.startswith(b"HTTP/1.1 503 "):
                    return ready

    async def refuses(self) -> None:
        """Wait until nobody is let in any more."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except ConnectionRefusedError:
                    return
                except ConnectionError:
                    continue
                writer.close()
                await asyncio.sleep(0.01)

    def request(self, target: str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
        """The bytes of an authorized request that ends its connection."""
        lines = [
            f"{method} {target} HTTP/1.1",
            "Host: localhost",
            "Connection: close",
            f"Authorization: Bearer {self.token.decode()}",
            *headers,
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def environment(directory: Path, **settings: str) -> dict[str, str]:
    """Nothing of the machine's but the path: data in `directory`, any free port, limits out of the way."""
    limits = '{"default": {"limit": 1000000}, "auth": {"limit": 1000000}}'
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": str(directory / "data"),
        "PORT": "0",
        "RATE_LIMITS": limits,
        **settings,
    }


async def spawn(*arguments: str, env: Mapping[str, str], directory: Path = ROOT) -> asyncio.subprocess.Process:
    """Start Python with its output piped."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error::DeprecationWarning:service",
        *arguments,
        cwd=directory,
        env=dict(env),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def completed(*arguments: str, env: Mapping[str, str], directory: Path = ROOT) -> tuple[int, str, str]:
    """Run a command to its end: exit status, standard output, standard error."""
    process = await spawn("-m", "service", *arguments, env=env, directory=directory)
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def running(directory: Path, module: str = "service", **settings: str) -> AsyncIterator[Process]:
    """A service that has started; it is killed at the end unless it has ended."""
    process = await spawn("-m", module, "run", env=environment(directory, **settings))
    banner = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while not _BANNER_END.search(banner):
                line = await process.stderr.readline()
                if not line:
                    out = await process.stdout.read()
                    raise AssertionError(f"it did not start: {banner + out!r}")
                banner += line
        service = Process(process, banner)
        yield service
        if process.returncode is None:
            process.kill()
        await service.ended()
    finally:
        if process.returncode is None:
            process.kill()
        process._transport.close()  # before the wait: nobody may be reading its output
        await process.wait()
