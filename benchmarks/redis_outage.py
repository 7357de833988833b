"""Redis killed, frozen and restarted while four services are under load."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

from benchmarks.llm_service import SECRET
from service.commands.token import make_token
from service.settings import Settings
from tests.service.run.process import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service.redis_server import RedisServer
    from tests.service.run.process import Process

PROCESSES = 4
LIMIT = 100
PACE = 0.02
"""Seconds between two requests of the steady load, of all together."""
STEADY = 400
_KNOWN_SECONDS = 8.0
_REFUSED, _BROKEN = 429, 500


@dataclass(slots=True)
class Phase:
    """What happened meanwhile.

    Attributes:
        seconds: how long each request of the steady load took.
        statuses: of all requests.
        fresh: admissions of a caller who was not there before the phase.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    fresh: int = 0

    @property
    def p99(self) -> float:
        """Of the steady load, in milliseconds."""
        return quantiles(self.seconds, n=100)[98] * 1e3

    @property
    def broken(self) -> int:
        """Requests that were answered with a 5xx."""
        return sum(status >= _BROKEN for status in self.statuses)


@dataclass(frozen=True, slots=True)
class Outage:
    """All of it.

    Attributes:
        before: with Redis.
        killed: from the kill on.
        back: from the restart on.
        frozen: from the moment on at which Redis answers nobody.
        used_up: admissions, during the outage, of a caller who had used the whole limit before.
        processes_back: those that used Redis again at the end.
    """

    before: Phase
    killed: Phase
    back: Phase
    frozen: Phase
    used_up: int
    processes_back: int


async def measure(server: RedisServer, seconds: float) -> Outage:
    """Run the services through it.

    Args:
        server: a Redis of its own.
        seconds: how long each phase lasts.
    """
    with tempfile.TemporaryDirectory() as directory:
        async with AsyncExitStack() as stack:
            given = {
                "REDIS_URL": server.url,
                "JWT_SECRET": SECRET,
                "PII_PSEUDONYM_KEY": SECRET,
                "RATE_LIMITS": f'{{"default": {{"limit": {LIMIT}, "window": 600}}}}',
                "PROMPT_CACHE_WARM_ON_STARTUP": "false",
                "SIMULATED_PROVIDER_URL": "http://127.0.0.1:9",  # nobody asks it
            }
            services = [
                await stack.enter_async_context(running(Path(directory, str(number)), **given))
                for number in range(PROCESSES)
            ]
            load = _Load(services)
            await asyncio.sleep(_KNOWN_SECONDS)  # they have heard of each other
            await load.phase("warm-up", seconds / 2)
            before = await load.phase("before", seconds)
            await load.ask_all("before", 2 * LIMIT)  # whose limit is used up now
            server.kill()
            killed = await load.phase("killed", seconds)
            used_up = await load.ask_all("before", 2 * LIMIT)
            server.start()
            back = await load.phase("back", seconds)
            server.freeze()
            frozen = await load.phase("frozen", seconds)
            server.thaw()
            await asyncio.sleep(_KNOWN_SECONDS)
            up = [await service.metric("rate_limit_backend_up") for service in services]
            return Outage(before, killed, back, frozen, used_up, int(sum(up)))


class _Load:
    def __init__(self, services: list[Process]) -> None:
        self._services = services
        self._settings = Settings.load({"JWT_SECRET": SECRET})
        self._tokens: dict[str, str] = {}

    async def phase(self, name: str, seconds: float) -> Phase:
        """A steady load of many callers, and one new caller who asks for more than the limit, everywhere."""
        phase = Phase()
        turns = self._turns()
        tasks: list[asyncio.Task[None]] = []
        end = time.monotonic() + seconds
        greedy = asyncio.create_task(self.ask_all(name, 3 * LIMIT, phase))
        while time.monotonic() < end:
            tasks.append(asyncio.create_task(self._steady(phase, *next(turns))))
            await asyncio.sleep(PACE)
        await asyncio.gather(*tasks)
        phase.fresh = await greedy
        return phase

    async def ask_all(self, caller: str, requests: int, phase: Phase | None = None) -> int:
        """So many requests of a caller, to all services in turn: how many were admitted."""
        admitted = 0
        for number in range(requests):
            status = await self._ask(self._services[number % PROCESSES], caller)
            admitted += status != _REFUSED and status < _BROKEN
            if phase is not None:
                phase.statuses.append(status)
        return admitted

    async def _steady(self, phase: Phase, service: Process, caller: str) -> None:
        begun = time.perf_counter()
        phase.statuses.append(await self._ask(service, caller))
        phase.seconds.append(time.perf_counter() - begun)

    def _turns(self) -> Iterator[tuple[Process, str]]:
        callers = itertools.cycle(f"steady {number}" for number in range(STEADY))
        return zip(itertools.cycle(self._services), callers, strict=False)

    async def _ask(self, service: Process, caller: str) -> int:
        token = self._tokens.get(caller)
        if token is None:
            token = self._tokens[caller] = make_token(self._settings, caller, (), 3600)
        # No route has this path: it is limited like every other, and nothing else is measured.
        head = f"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
        answer = await service.exchange(head.encode())
        return int(answer.split(b" ", 2)[1])
