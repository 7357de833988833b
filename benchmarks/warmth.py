"""How warm the cache stays under the demo's traffic, with a lifetime of twenty seconds in place of five minutes.

`python -m benchmarks.warmth [MINUTES]`. Letters, questions and briefings come at random, the same ones in every run.
What the provider was sent tells real calls from warm-ups; what was read from its cache, the service's own metrics.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from benchmarks.llm_service import LETTERS, callers, connected, metrics, service
from tests.service.llm.simulated.process import provider

if TYPE_CHECKING:
    from benchmarks.llm_service import Caller
    from tests.service.llm.simulated.process import Provider

SEED = 5
TTL_SECONDS = 20
CALLERS = 8
# Seconds between two of a kind, on average.
LETTER_EVERY, QUESTION_EVERY, BRIEFING_EVERY = 2.0, 3.0, 8.0
_WARMED_WITHIN = 4.0
_LOOK_EVERY = 0.2
_PACE = ("--token-delay", "1", "--first-token-delay", "20")


@dataclass(frozen=True, slots=True)
class Warmth:
    """What became of the traffic.

    Attributes:
        minutes: of traffic.
        calls: real ones.
        read: of those, at least so many read the cached prefix.
        warm_ups: after those of the start.
        in_vain: of those, for a prompt that nobody had used for a TTL.
    """

    minutes: float
    calls: int
    read: int
    warm_ups: int
    in_vain: int


class Watch:
    """Tells real calls and warm-ups apart, as the provider is sent them.

    Args:
        simulated: the provider.
    """

    def __init__(self, simulated: Provider) -> None:
        self._simulated = simulated
        self._seen = 0
        self._looked = monotonic()
        self._used: dict[str, float] = {}
        self.counts: Counter[str] = Counter()

    async def begin(self) -> None:
        """Pass over what has come by now."""
        entries = await asyncio.to_thread(self._simulated.ask, "GET", "/requests")
        self._seen, self._looked = entries[-1]["number"], monotonic()

    async def look(self) -> None:
        """Take note of what has come since the last look; a warm-up counts as early, a real call as late as may be."""
        earliest, self._looked = self._looked, monotonic()
        entries: list[dict[str, Any]] = await asyncio.to_thread(self._simulated.ask, "GET", "/requests")
        latest = monotonic()
        for entry in entries:
            if entry["number"] <= self._seen:
                continue
            self._seen = entry["number"]
            body = json.loads(entry["body"])
            prompt = body["system"][0]["text"]
            if body["max_tokens"] > 0:
                self._used[prompt] = latest
                self.counts["calls"] += 1
                continue
            self.counts["warm_ups"] += 1
            unused = earliest - self._used.get(prompt, 0.0)
            if unused > TTL_SECONDS:
                self.counts["in_vain"] += 1
                print(f"unused for {unused:.1f} s: ...{prompt[-60:]!r}", file=sys.stderr, flush=True)

    async def go_on(self) -> None:
        """Look again and again."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_EVERY)


async def measure(minutes: float) -> Warmth:
    """Send the traffic, and count."""
    options = ("--cache-ttl", str(TTL_SECONDS), "--keep-bodies", *_PACE)
    given = {"PROMPT_CACHE_TTL_SECONDS": str(TTL_SECONDS)}
    with tempfile.TemporaryDirectory() as directory, provider(*options) as simulated:
        where = Path(directory)
        async with service(where, simulated.url, **given) as (process, first):
            crowd = callers(where, process.port, CALLERS)
            for number, caller in enumerate(crowd):
                await caller.settle_in(number)
            jobs = await first.jobs(50)
            await asyncio.sleep(_WARMED_WITHIN)
            watch = Watch(simulated)
            await watch.begin()
            hits, misses = await _lookups(first)
            watching = asyncio.create_task(watch.go_on())
            await _traffic(crowd, jobs, minutes * 60)
            watching.cancel()
            await watch.look()
            hits, misses = (after - before for after, before in zip(await _lookups(first), (hits, misses), strict=True))
    counts = watch.counts
    # Of the warm-ups all may have been hits.
    read = int(hits) - counts["warm_ups"]
    if hits + misses < counts["calls"]:
        raise RuntimeError(f"{counts['calls']} calls, but {hits + misses} lookups")
    return Warmth(minutes, counts["calls"], read, counts["warm_ups"], counts["in_vain"])


async def _lookups(caller: Caller) -> tuple[float, float]:
    async with connected(caller.port) as connection:
        connection.write(caller.request("GET", "/metrics"))
        told = metrics((await connection.whole()).decode())
    found = {name: value for name, value in told.items() if name.startswith("gen_ai_client_cache_lookups_total")}
    hits = sum(value for name, value in found.items() if '"hit"' in name)
    return hits, sum(found.values()) - hits


async def _traffic(crowd: list[Caller], jobs: list[str], seconds: float) -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same traffic in every run
    begun: list[asyncio.Task[Any]] = []

    async def kind(every: float, path: str, make: Any) -> None:
        ends = monotonic() + seconds
        while monotonic() < ends:
            await asyncio.sleep(chance.expovariate(1 / every))
            begun.append(asyncio.create_task(chance.choice(crowd).ask("POST", path, make())))

    await asyncio.gather(
        kind(LETTER_EVERY, LETTERS, lambda: {"job_id": chance.choice(jobs)}),
        kind(QUESTION_EVERY, "/api/v1/questions", lambda: {"question": "What is missing?"}),
        kind(BRIEFING_EVERY, "/api/v1/briefings", lambda: {"focus": "Python"}),
    )
    await asyncio.gather(*begun)
    await asyncio.sleep(1.0)  # for the briefings under way


def main(arguments: list[str]) -> int:
    """Print what became of the traffic."""
    found = asyncio.run(measure(float(arguments[0]) if arguments else 4.0))
    print(found)
    return 1 if found.in_vain else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
