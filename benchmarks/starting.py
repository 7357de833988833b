"""How the service starts: with and without warming, against a provider that accepts and never answers.

`python -m benchmarks.starting [PAIRS [WATCHED]]`. Then, with a provider that answers, what a start holds up in its
first ten seconds, with the first letter, stream, question and briefing in them.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.llm_service import LETTERS, connected, cpu_seconds, metrics, resident_mib, service
from benchmarks.streams import bare
from tests.service.llm.simulated.process import provider
from tests.service.run.process import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.llm_service import Caller

WATCHED_SECONDS = 10.0
_LATE = 0.1
_LAG_BUCKET = re.compile(r'event_loop_lag_seconds_bucket\{le="(.+)"\}')


class Silent:
    """A provider that accepts and never answers.

    Attributes:
        url: where it is.
        asked: is set when somebody has sent a request.
        open: connections with a request that are open.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked = asyncio.Event()
        self.open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read, and say nothing."""
        await reader.read(1)
        self.open += 1
        self.asked.set()
        try:
            while await reader.read(65_536):
                pass
        except ConnectionError:
            pass
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def silent() -> AsyncIterator[Silent]:
    """Listen."""
    quiet = Silent()
    async with await asyncio.start_server(quiet.serve, "127.0.0.1", 0) as server:
        quiet.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield quiet


@dataclass(frozen=True, slots=True)
class Starts:
    """How long starts took; all but the first with a database that was there.

    Attributes:
        warming: seconds until ready, with warming.
        cold: seconds without.
        cpu: seconds of CPU until ready, with warming.
        ready_meanwhile: starts that were ready while their warm-up's call was open.
    """

    warming: list[float]
    cold: list[float]
    cpu: list[float]
    ready_meanwhile: int

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return median(a / b for a, b in zip(self.warming, self.cold, strict=True))


@dataclass(frozen=True, slots=True)
class Watched:
    """The first ten seconds after one start.

    Attributes:
        longest: the longest answer to a ping: seconds.
        control: the same of an idle process without anything of ours, at the same time.
        late: how often the event loop woke a task more than a tenth of a second late, by its own count.
        idle_mib: what the process held after them.
    """

    longest: float
    control: float
    late: int
    idle_mib: float


async def starts(pairs: int) -> Starts:
    """Start with and without warming, in turns."""
    times: dict[str, list[float]] = {"true": [], "false": []}
    cpu: list[float] = []
    meanwhile = 0
    with tempfile.TemporaryDirectory() as directory:
        where = Path(directory)
        async with silent() as quiet, running(where, SIMULATED_PROVIDER_URL=quiet.url):
            pass  # migrates
        for pair in range(pairs):
            for warms in ("true", "false") if pair % 2 else ("false", "true"):
                async with silent() as quiet:
                    given = {"SIMULATED_PROVIDER_URL": quiet.url, "PROMPT_CACHE_WARM_ON_STARTUP": warms}
                    began = perf_counter()
                    async with running(where, **given) as process:
                        times[warms].append(perf_counter() - began)
                        if warms == "true":
                            cpu.append(cpu_seconds(process.process.pid))
                            async with asyncio.timeout(5):
                                await quiet.asked.wait()
                            answer = await process.exchange(process.request("/readyz"))
                            meanwhile += b" 200 " in answer.split(b"\r\n", 1)[0] and quiet.open > 0
            print(f"pair {pair}: {times['true'][-1]:.2f} s, {times['false'][-1]:.2f} s", file=sys.stderr, flush=True)
    return Starts(times["true"], times["false"], cpu, meanwhile)


async def watched(times: int) -> list[Watched]:
    """Start a few times, and watch the first ten seconds."""
    found = []
    with provider() as simulated:
        async with bare(simulated.url) as control:
            for _ in range(times):
                with tempfile.TemporaryDirectory() as directory:
                    async with service(Path(directory), simulated.url) as (process, caller):
                        pings = [asyncio.create_task(_pinged(port)) for port in (process.port, control.port)]
                        await _first_of_each(caller)
                        longest, idle = await asyncio.gather(*pings)
                        late = await _late(caller)
                        found.append(Watched(longest, idle, late, resident_mib(process.process.pid)))
                print(found[-1], file=sys.stderr, flush=True)
    return found


async def _pinged(port: int) -> float:
    given = ("-m", "benchmarks.pings", str(port), str(WATCHED_SECONDS))
    process = await asyncio.create_subprocess_exec(sys.executable, *given, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return float(out)


async def _first_of_each(caller: Caller) -> None:
    await asyncio.sleep(1.0)  # an idle start, too
    job = (await caller.jobs(1))[0]
    await caller.ask("POST", "/api/v1/briefings", {"focus": "Python"})
    async with connected(caller.port) as connection:
        connection.write(caller.letter(job))
        await connection.whole()
    await caller.ask("POST", LETTERS, {"job_id": job})
    await caller.ask("POST", "/api/v1/questions", {"question": "What is missing?"})


async def _late(caller: Caller) -> int:
    async with connected(caller.port) as connection:
        connection.write(caller.request("GET", "/metrics"))
        told = metrics((await connection.whole()).decode())
    within = max(value for name, value in told.items() if (le := _LAG_BUCKET.fullmatch(name)) and float(le[1]) <= _LATE)
    return int(told["event_loop_lag_seconds_count"] - within)


async def measure(pairs: int, times: int) -> tuple[Starts, list[Watched]]:
    """Measure both."""
    return await starts(pairs), await watched(times)


def main(arguments: list[str]) -> int:
    """Print both."""
    given = [int(argument) for argument in arguments]
    pairs, times = (*given, *(20, 5)[len(given) :])
    began, first = asyncio.run(measure(pairs, times))
    print(f"warming {median(began.warming):.2f} s, without {median(began.cold):.2f} s, ratio {began.ratio:.3f}")
    print(began.ready_meanwhile, first)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
