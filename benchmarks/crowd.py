"""Many streams at once in one process, each compared byte for byte with what the provider sent for it.

`python -m benchmarks.crowd [STREAMS]`. Every caller has a CV of their own, which names them to the provider; what it
sent to whom follows from its seed and from the request that it was sent.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.llm_service import callers, connected, said, service
from service.llm.simulated.answer import compose
from service.llm.simulated.validation import VERSIONS, validate
from tests.service.llm.simulated.process import provider

if TYPE_CHECKING:
    from benchmarks.llm_service import Caller

SEED = 7
# Slow enough for all of them to be open at once: milliseconds between two tokens.
TOKEN_DELAY = 200
_NAMED = re.compile(r"CV ([0-9]+)\.")
# So many begin at the same time: what 500 need for their beginnings is more than the service makes anybody wait for.
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Crowd:
    """What became of the streams.

    Attributes:
        streams: how many there were.
        open_at_once: the most that the provider had open.
        different: whose text, or whose stored letter, is not what the provider sent.
        seconds: for all of them.
    """

    streams: int
    open_at_once: int
    different: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Told:
    """What a caller was sent.

    Attributes:
        text: of the tokens.
        stored: of the letter that the last event names.
    """

    text: str
    stored: str


async def measure(streams: int) -> Crowd:
    """Open the streams, and compare."""
    options = ("--seed", str(SEED), "--token-delay", str(TOKEN_DELAY), "--keep-bodies")
    with tempfile.TemporaryDirectory() as directory, provider(*options) as simulated:
        where = Path(directory)
        async with service(where, simulated.url, PROMPT_CACHE_WARM_ON_STARTUP="false") as (process, first):
            crowd = callers(where, process.port, streams)
            turns = asyncio.Semaphore(_AT_ONCE)
            await asyncio.gather(*(_settle_in(caller, number, turns) for number, caller in enumerate(crowd)))
            job = (await first.jobs(1))[0]
            began = perf_counter()
            reading = asyncio.gather(*(_read(caller, job, turns) for caller in crowd))
            most = 0
            while not reading.done():
                state = await asyncio.to_thread(simulated.ask, "GET", "/state")
                most = max(most, state["open"])
                await asyncio.wait([reading], timeout=0.2)
            told = await reading
            seconds = perf_counter() - began
        sent = _sent([each["body"] for each in simulated.ask("GET", "/requests")])
    different = sum(sent.get(number) != each.text or each.text != each.stored for number, each in enumerate(told))
    return Crowd(streams, most, different, seconds)


async def _settle_in(caller: Caller, number: int, turns: asyncio.Semaphore) -> None:
    async with turns:
        await caller.settle_in(number)


async def _read(caller: Caller, job: str, turns: asyncio.Semaphore) -> _Told:
    async with AsyncExitStack() as stack:
        async with turns:
            connection = await stack.enter_async_context(connected(caller.port))
            connection.write(caller.letter(job))
            chunks = connection.chunks()
            body = await anext(chunks)
        body += b"".join([chunk async for chunk in chunks])
    stored = body.rpartition(b"event: done\ndata: ")[2]
    return _Told(said(body), json.loads(stored)["content"])


def _sent(bodies: list[str]) -> dict[int, str]:
    """Give what the provider sent to whom: it follows from its seed and the request."""
    sent = {}
    for body in bodies:
        named = _NAMED.search(body)
        if named is not None:
            request = validate(body.encode(), next(iter(VERSIONS)))
            sent[int(named[1])] = "".join(part.text for part in compose(request, SEED, {}).parts)
    return sent


def main(arguments: list[str]) -> int:
    """Print what became of the streams; 1 if one is not what it should be."""
    crowd = asyncio.run(measure(int(arguments[0]) if arguments else 500))
    print(crowd)
    return 1 if crowd.different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
