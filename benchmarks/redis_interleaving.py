"""Decisions of several processes about the same callers, held against the definition on the server's clock.

`python -m benchmarks.redis_interleaving URL SECRET DECISIONS CONCURRENT SEED` is one of the processes.
"""

from __future__ import annotations

import asyncio
import random
import sys
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby
from struct import Struct, pack
from typing import TYPE_CHECKING

import uvloop

from service.limits.redis.group_commit import GroupCommit
from service.limits.redis.key_names import KeyNames
from service.limits.redis.link import Link, framed
from service.limits.redis.script import load

if TYPE_CHECKING:
    from collections.abc import Iterable

LIMIT, WINDOW = 100, 500_000
"""Hits, and microseconds."""
CALLERS = 40
DEADLINE = 0.05
_LINE = Struct(">dHB")
_UNANSWERED = 2


@dataclass(frozen=True, slots=True)
class Found:
    """What the processes' decisions come to.

    Attributes:
        decisions: how many.
        admitted: those that were.
        unanswered: those that Redis did not make in time.
        over: admitted ones that the definition would have refused.
        wrongly: refused ones that it would have admitted.
    """

    decisions: int
    admitted: int
    unanswered: int
    over: int
    wrongly: int


async def measure(url: str, secret: str, *, processes: int, decisions: int, concurrent: int) -> Found:
    """Let processes decide at the same time.

    Args:
        url: of the server.
        secret: of keys that nobody has counted under yet.
        processes: how many.
        decisions: of all together.
        concurrent: at once, of all together.
    """
    each = [str(decisions // processes), str(concurrent // processes)]
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", __name__, url, secret, *each, str(seed), stdout=asyncio.subprocess.PIPE
        )
        for seed in range(processes)
    ]
    outputs = [(await process.communicate())[0] for process in started]
    if any(process.returncode for process in started):
        raise RuntimeError("a process failed")
    return judged(line for output in outputs for line in _LINE.iter_unpack(output))


def judged(lines: Iterable[tuple[float, int, int]]) -> Found:
    """Hold decisions against the definition: admitted hits in (t - window, t].

    Args:
        lines: time (microseconds), caller, and 1 for an admitted hit, 0 for a refused one, 2 for one not decided.
    """
    decided = sorted(lines)
    unanswered = sum(verdict == _UNANSWERED for _, _, verdict in decided)
    admitted: dict[int, list[float]] = defaultdict(list)
    over = wrongly = 0
    for (now, caller), group in groupby(decided, key=lambda line: line[:2]):
        verdicts = [verdict for _, _, verdict in group if verdict != _UNANSWERED]
        hits = admitted[caller]
        room = LIMIT - (len(hits) - bisect_right(hits, now - WINDOW))
        right, got = min(room, len(verdicts)), sum(verdicts)
        over += max(got - right, 0)
        wrongly += max(right - got, 0)
        hits.extend([now] * got)
    return Found(len(decided), sum(map(len, admitted.values())), unanswered, over, wrongly)


async def _decide(url: str, secret: str, decisions: int, concurrent: int, seed: int) -> None:
    link, names, draw = Link(url), KeyNames(secret.encode()), random.Random(seed)  # noqa: S311 - reproducible
    failed: list[object] = []
    commit = GroupCommit(link, load("sliding_window"), deadline=DEADLINE, failed=failed.append)
    await link.connect()
    argument = framed(pack(">ddB", LIMIT, WINDOW, 1))
    out: list[bytes] = []
    connecting = asyncio.Lock()

    async def one() -> None:
        for _ in range(decisions // concurrent):
            caller = draw.randrange(CALLERS)
            async with connecting:
                if not link.connected:
                    await link.connect()
            verdict = await commit.ask(names.window("default", names.digest(str(caller))), argument)
            out.append(
                _LINE.pack(0, caller, _UNANSWERED)
                if verdict is None
                else _LINE.pack(verdict.now, caller, verdict.admitted)
            )

    await asyncio.gather(*(one() for _ in range(concurrent)))
    await link.close()
    sys.stdout.buffer.write(b"".join(out))


if __name__ == "__main__":
    address, words, *numbers = sys.argv[1:]
    many, at_once, number = map(int, numbers)
    uvloop.run(_decide(address, words, many, at_once, number))
