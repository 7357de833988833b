"""A streamed letter through all layers, against a bare relay: CPU of the server's process a token, and the first token.

`python -m benchmarks.streams [ROUNDS [CALLS]]`. Both ask the same simulated provider, which answers as fast as it is
read; they are asked in turns, in one run, and each figure is the median of the rounds.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.llm_service import Caller, connected, cpu_seconds, service
from tests.service.llm.simulated.process import provider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).resolve().parent.parent
FILTERED = "all layers"
UNFILTERED = "benchmarks.unfiltered_service"
WARM_UP = 30
EVENT = b"event: token\n"
# Milliseconds to the first token, and between two, where they come one by one.
FIRST_DELAY, TOKEN_DELAY = 40, 20
# A letter as the simulated provider writes one, and one that is as long as a letter may be.
LONG = "The harbour office kept a ledger of every ship, and nobody doubted what it said. " * 60
QUESTION = "tone: plain\nlength: long\n\nAldersgate is looking for Python, Kubernetes and Mathematics."


@dataclass
class Server:
    """One that is measured.

    Attributes:
        name: for the report.
        pid: its process.
        port: where it listens.
        request: what it is sent.
        cpu: microseconds of CPU a token, by round.
        first: milliseconds to the first token, by call.
        tokens: of one call.
    """

    name: str
    pid: int
    port: int
    request: bytes
    cpu: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    tokens: float = 0.0

    @property
    def call(self) -> float:
        """What a call costs: microseconds of CPU."""
        return median(self.cpu) * self.tokens

    def ratio(self, other: Server) -> float:
        """Give the median of the rounds' ratios to another one's CPU a token."""
        return median(a / b for a, b in zip(self.cpu, other.cpu, strict=True))

    async def round(self, calls: int) -> None:
        """Ask so often, one call after the other, and take note."""
        tokens = 0
        async with connected(self.port) as connection:
            before = cpu_seconds(self.pid)
            for _ in range(calls):
                connection.write(self.request)
                tokens += (await connection.whole()).count(EVENT)
            used = cpu_seconds(self.pid) - before
        self.cpu.append(used / tokens * 1e6)
        self.tokens = tokens / calls

    async def first_token(self) -> float:
        """Ask once, and leave with the first token: seconds."""
        async with connected(self.port) as connection:
            began = perf_counter()
            connection.write(self.request)
            async for chunk in connection.chunks():
                if EVENT in chunk:
                    break
            return perf_counter() - began


@asynccontextmanager
async def bare(url: str) -> AsyncIterator[Server]:
    """Run the relay."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.relay", url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        port = int(await process.stdout.readline()) if process.stdout is not None else 0
        request = Caller(port, "-").request("POST", "/letters", {"text": QUESTION})
        yield Server("bare relay", process.pid, port, request)
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def ours(name: str, url: str, directory: Path, module: str) -> AsyncIterator[Server]:
    """Run the service, or a variant of it."""
    async with service(directory / module, url, module) as (process, caller):
        job = (await caller.jobs(1))[0]
        yield Server(name, process.process.pid, process.port, caller.letter(job, "long"))


async def costs(rounds: int, calls: int, *, long: bool) -> list[Server]:
    """Measure the relay, the service, and the service without its filter.

    Args:
        rounds: in each of which each of them is asked.
        calls: of each of them in a round.
        long: whether letters are as long as they may be.
    """
    async with _servers(long=long) as servers:
        for server in servers:
            await server.round(WARM_UP)
            server.cpu.clear()
        for number in range(rounds):
            for server in servers:
                await server.round(calls)
            print(f"round {number}: {[round(each.cpu[-1], 1) for each in servers]} us", file=sys.stderr, flush=True)
    return servers


async def firsts(calls: int) -> list[Server]:
    """Measure the time to the first token where tokens come one by one.

    Args:
        calls: of each of them.
    """
    async with _servers("--first-token-delay", str(FIRST_DELAY), "--token-delay", str(TOKEN_DELAY)) as servers:
        for number in range(calls + WARM_UP):
            for server in servers:
                took = await server.first_token()
                if number >= WARM_UP:
                    server.first.append(took * 1e3)
    return servers


@asynccontextmanager
async def _servers(*options: str, long: bool = False) -> AsyncIterator[list[Server]]:
    with tempfile.TemporaryDirectory() as directory, provider(*options) as simulated:
        if long:
            leak = base64.urlsafe_b64encode(LONG.encode()).decode().rstrip("=")
            simulated.ask("PUT", "/faults", {"fault": f"leak:{leak}"})
        async with AsyncExitStack() as stack:
            where = Path(directory)
            yield [
                await stack.enter_async_context(each)
                for each in (
                    bare(simulated.url),
                    ours(FILTERED, simulated.url, where, "service"),
                    ours("all layers but the filter", simulated.url, where, UNFILTERED),
                )
            ]


@dataclass(frozen=True, slots=True)
class Streams:
    """What streamed letters cost.

    Attributes:
        short: the servers with usual letters.
        long: the servers with the longest ones.
        paced: the servers where tokens come one by one.
    """

    short: list[Server]
    long: list[Server]
    paced: list[Server]

    def further(self, number: int) -> float:
        """Give what one more token costs a server: microseconds of CPU."""
        short, long = self.short[number], self.long[number]
        return (long.call - short.call) / (long.tokens - short.tokens)

    def beginning(self, number: int) -> float:
        """Give what a call costs a server beside its tokens: milliseconds of CPU."""
        short = self.short[number]
        return (short.call - self.further(number) * short.tokens) / 1e3

    def later(self, number: int) -> float:
        """Give by how much later than the relay's a server's first token comes: milliseconds."""
        pairs = zip(self.paced[number].first, self.paced[0].first, strict=True)
        return median(ours - bare for ours, bare in pairs)


async def measure(rounds: int, calls: int) -> Streams:
    """Measure all of it."""
    short = await costs(rounds, calls, long=False)
    long = await costs(rounds, calls, long=True)
    return Streams(short, long, await firsts(rounds * 10))


def main(arguments: list[str]) -> int:
    """Print one line a server."""
    rounds, calls = (*map(int, arguments), *(9, 40)[len(arguments) :])
    result = asyncio.run(measure(rounds, calls))
    for number, server in enumerate(result.long):
        print(
            f"{server.name:28} {result.short[number].ratio(result.short[0]):.2f} short, "
            f"{server.ratio(result.long[0]):.2f} long, {result.further(number):.1f} us a further token, "
            f"{result.beginning(number):.1f} ms a call, first token {result.later(number):+.1f} ms"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
