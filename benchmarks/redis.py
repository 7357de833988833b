"""All figures of the limits over Redis, asked and got: `make bench-redis` writes REDIS.md.

`python -m benchmarks.redis --only cost,interleaving` measures some of them, and writes nothing.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from benchmarks import redis_decisions, redis_interleaving, redis_outage
from benchmarks.figures import Figure, report
from tests.service.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable

RESULTS = Path(__file__).with_name("REDIS.md")
ROUNDS, DECISIONS = 9, 20_000
PROCESSES, INTERLEAVED, AT_ONCE = 4, 100_000, 200
PHASE_SECONDS = 15.0
MOST_MICROSECONDS = 25
DEADLINE_MS = 50
_METHOD = """\
# What limits over Redis cost, and what they hold

Written by `make bench-redis`; do not edit. A `redis-server` of its own on the same machine, over TCP on loopback,
without persistence. CPU is that of the deciding process, user space and kernel, of a whole `hit` with its key's name,
its place in the process's own window and the attribute on a recorded span; the plain EVALSHA is the same script by
`redis.asyncio.Redis`, one call a decision, asked in turns in the same process with as many callers at once. The
interleaved decisions are of separate processes about the same callers and are held, one by one, against the definition
on the server's clock. The outage is that of four services under a steady load of many callers; one more caller, new
in each phase, asks all four for three times its limit. Milliseconds are of a machine that others use, too.

| what | asked | got | |
|---|---|---|---|
"""


def of_cost() -> list[Figure]:
    """Measure what a decision costs."""
    with RedisServer() as server:
        found = uvloop.run(redis_decisions.measure(server.url, ROUNDS, DECISIONS))
    return [
        Figure(
            f"CPU of a decision, {redis_decisions.CONCURRENT} at once",
            f"≤ {MOST_MICROSECONDS} µs",
            f"{found.ours:.1f} µs",
            found.ours <= MOST_MICROSECONDS,
        ),
        Figure(
            "a plain EVALSHA for each, in the same run",
            "reported",
            f"{found.plain:.1f} µs: {found.ratio:.1f} times as much",
        ),
        Figure("CPU of a decision, one at a time", "reported", f"{found.alone:.1f} µs"),
        Figure("CPU of a decision in memory, without Redis", "reported", f"{found.memory:.1f} µs"),
    ]


def of_interleaving() -> list[Figure]:
    """Measure what processes admit together."""
    with RedisServer() as server:
        found = asyncio.run(
            redis_interleaving.measure(
                server.url, "benchmark", processes=PROCESSES, decisions=INTERLEAVED, concurrent=AT_ONCE
            )
        )
    what = f"{found.decisions:,} decisions of {PROCESSES} processes, {AT_ONCE} at once ({found.admitted:,} admitted): "
    share = found.wrongly / found.decisions
    return [
        Figure(what + "over-admissions", "0", f"{found.over}", found.over == 0),
        Figure(
            what + "refusals that one process would not have made",
            "≤ 0.1 %",
            f"{share:.3%}",
            share <= 0.001,  # noqa: PLR2004 - what is asked
        ),
        Figure(what + "not decided within 50 ms", "reported", f"{found.unanswered}"),
    ]


def of_outage() -> list[Figure]:
    """Measure what an outage costs and admits."""
    with RedisServer() as server:
        found = asyncio.run(redis_outage.measure(server, PHASE_SECONDS))
    phases = (found.before, found.killed, found.back, found.frozen)
    broken, requests = sum(each.broken for each in phases), sum(len(each.statuses) for each in phases)
    added = {
        name: each.p99 - found.before.p99 for name, each in zip(("killed", "back", "frozen"), phases[1:], strict=True)
    }
    limit = redis_outage.LIMIT
    most = 1.1 * limit
    return [
        Figure(f"5xx among {requests:,} requests, Redis killed, restarted, and frozen", "0", f"{broken}", broken == 0),
        *(
            Figure(
                f"p99 of a request, later than before ({found.before.p99:.0f} ms), {what}",
                f"≤ {DEADLINE_MS} ms",
                f"{added[name]:+.0f} ms",
                added[name] <= DEADLINE_MS,
            )
            for name, what in (("killed", "Redis killed"), ("back", "Redis back"), ("frozen", "Redis frozen"))
        ),
        *(
            Figure(
                f"admissions of a new caller with a limit of {limit}, over {redis_outage.PROCESSES} processes, {what}",
                f"≤ {most:.0f}",
                f"{admitted}",
                admitted <= most,
            )
            for admitted, what in (
                (found.before.fresh, "with Redis"),
                (found.killed.fresh, "Redis killed"),
                (found.back.fresh, "Redis back"),
                (found.frozen.fresh, "Redis frozen"),
            )
        ),
        Figure(
            "admissions, Redis killed, of a caller who had used the whole limit before, at all processes alike",
            "reported",
            f"{found.used_up}",
        ),
        Figure(
            "processes that use Redis again at the end",
            f"{redis_outage.PROCESSES}",
            f"{found.processes_back}",
            found.processes_back == redis_outage.PROCESSES,
        ),
    ]


PARTS: dict[str, Callable[[], list[Figure]]] = {
    "cost": of_cost,
    "interleaving": of_interleaving,
    "outage": of_outage,
}


def main() -> int:
    """Measure and print; write the report after a complete run."""
    return report(
        RESULTS,
        _METHOD,
        PARTS,
        ("redis", "uvloop", "uvicorn", "fastapi"),
        program="benchmarks.redis",
        description=__doc__,
    )


if __name__ == "__main__":
    sys.exit(main())
