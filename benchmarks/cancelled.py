"""Thousands of calls of which a third is cancelled at random points: what is left of them in the process.

`python -m benchmarks.cancelled [CALLS [CLIENTS]]`. Streamed letters, whole letters and questions; who cancels closes
the socket, before the answer has begun or in its middle. What the process holds is compared before and after.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.llm_service import LETTERS, callers, connected, metrics, open_sockets, service
from benchmarks.watched_service import HELD
from tests.service.llm.simulated.process import provider

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.llm_service import Caller
    from tests.service.llm.simulated.process import Provider
    from tests.service.run.process import Process

SEED = 11
CALLERS = 40
# More than these, and two cores make some wait for the database longer than the service lets anybody wait.
CLIENTS = 16
WARM_UP = 200
# So that the points of a call lie apart: milliseconds until the first token, and between two.
PACE = ("--first-token-delay", "20", "--token-delay", "1")
# A little more than a third: some end before they are left.
_SHARE = 0.36
# A cancelled call ends within so many seconds of its beginning, or after so many pieces of its answer.
_LONGEST, _MOST_PIECES = 0.25, 150
# Idle connections to the provider are closed with the first call after five seconds.
_IDLE_SECONDS = 6.0
_TOLD_EVERY = 500
_SLOTS = "rate_limit_concurrency_in_use"
_RESERVED = ("llm_tokens_reserved", "llm_provider_tokens_reserved")


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds.

    Attributes:
        slots: of the concurrency limits.
        reserved: tokens that are set aside.
        tasks: of asyncio, by what they run.
        sockets: open ones.
        provider_open: calls that the provider has not ended.
    """

    slots: float
    reserved: float
    tasks: Mapping[str, int]
    sockets: int
    provider_open: int


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What became of the calls.

    Attributes:
        calls: how many there were.
        cancelled: how many of them were left.
        by_provider: how many of those the provider saw end.
        failed: how many others were not answered with success.
        before: what was held before them.
        after: what was held after them.
        seconds: for all of them.
    """

    calls: int
    cancelled: int
    by_provider: int
    failed: int
    before: Held
    after: Held
    seconds: float

    @property
    def leaked(self) -> dict[str, float]:
        """What is held now and was not."""
        before, after = self.before, self.after
        return {
            "slots": after.slots,
            "reserved tokens": after.reserved,
            "tasks": (Counter(after.tasks) - Counter(before.tasks)).total(),
            "sockets": max(after.sockets - before.sockets, 0),
            "calls open at the provider": after.provider_open,
        }


async def measure(calls: int, clients: int) -> Cancelled:
    """Make the calls, and compare; progress is printed."""
    with tempfile.TemporaryDirectory() as directory, provider(*PACE) as simulated:
        where = Path(directory)
        async with service(where, simulated.url, "benchmarks.watched_service") as (process, first):
            crowd = callers(where, process.port, CALLERS)
            for number, caller in enumerate(crowd):
                await caller.settle_in(number)
            jobs = await first.jobs(50)
            client = _Clients(crowd, jobs)
            await client.run(range(WARM_UP), clients)
            before = await _held(process, first, simulated)
            client.cancelled = client.failed = 0
            ended = simulated.ask("GET", "/state")["cancelled"]
            began = perf_counter()
            await client.run(range(WARM_UP, WARM_UP + calls), clients, told=True)
            seconds = perf_counter() - began
            after = await _held(process, first, simulated)
            seen = simulated.ask("GET", "/state")["cancelled"] - ended
    return Cancelled(calls, client.cancelled, seen, client.failed, before, after, seconds)


async def _held(process: Process, caller: Caller, simulated: Provider) -> Held:
    await asyncio.sleep(_IDLE_SECONDS)
    await caller.ask("POST", "/api/v1/questions", {"question": "Anything else?"})
    await asyncio.sleep(0.5)
    tasks = await caller.ask("GET", HELD)
    async with connected(process.port) as connection:
        connection.write(caller.request("GET", "/metrics"))
        told = metrics((await connection.whole()).decode())
    await asyncio.sleep(0.5)
    return Held(
        slots=sum(value for name, value in told.items() if name.startswith(_SLOTS)),
        reserved=sum(value for name, value in told.items() if name.startswith(_RESERVED)),
        tasks=tasks,
        sockets=open_sockets(process.process.pid),
        provider_open=simulated.ask("GET", "/state")["open"],
    )


class _Clients:
    """Clients that take turns with the callers; what each call does follows from its number."""

    def __init__(self, crowd: list[Caller], jobs: list[str]) -> None:
        self._crowd, self._jobs = crowd, jobs
        self.cancelled = self.failed = 0

    async def run(self, numbers: range, clients: int, *, told: bool = False) -> None:
        """Make the calls of some numbers."""
        left = iter(numbers)
        await asyncio.gather(*(self._client(left, told=told) for _ in range(clients)))

    async def _client(self, numbers: Iterator[int], *, told: bool) -> None:
        for number in numbers:
            if told and number % _TOLD_EVERY == 0:
                print(f"call {number}: {self.cancelled} cancelled, {self.failed} failed", file=sys.stderr, flush=True)
            await self._call(number)

    async def _call(self, number: int) -> None:
        chance = random.Random(SEED + number)  # noqa: S311 - the same calls in every run
        cancels = chance.random() < _SHARE
        async with connected(self._crowd[0].port) as connection:
            connection.write(self._request(number, chance))
            try:
                async with asyncio.timeout(chance.uniform(0, _LONGEST) if cancels else None):
                    pieces = 0
                    most = chance.randrange(_MOST_PIECES)
                    async for _ in connection.chunks():
                        pieces += 1
                        if cancels and pieces > most:
                            self.cancelled += 1
                            break
            except TimeoutError:
                self.cancelled += 1
            except (RuntimeError, OSError, asyncio.IncompleteReadError) as error:
                self.failed += 1
                print(f"call {number}: {error}", file=sys.stderr, flush=True)
            if cancels and chance.random() < 1 / 2:
                connection.reset()

    def _request(self, number: int, chance: random.Random) -> bytes:
        caller, job = self._crowd[number % CALLERS], chance.choice(self._jobs)
        kind = chance.random()
        if kind < 0.7:  # noqa: PLR2004 - most are streams
            return caller.letter(job)
        if kind < 0.85:  # noqa: PLR2004 - and as many of each other kind
            return caller.request("POST", LETTERS, {"job_id": job})
        return caller.request("POST", "/api/v1/questions", {"question": f"What of {number}?"})


def main(arguments: list[str]) -> int:
    """Print what is left; 1 if anything is."""
    given = [int(argument) for argument in arguments]
    calls, clients = (*given, *(10_000, CLIENTS)[len(given) :])
    result = asyncio.run(measure(calls, clients))
    print(result)
    print(result.leaked)
    return 1 if any(result.leaked.values()) or result.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
