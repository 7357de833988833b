"""The one task of a process that says to Redis that it lives, and looks after Redis while it is away."""

import asyncio
import math
import random
import secrets
from contextlib import suppress

from service.limits.redis.key_names import KeyNames
from service.limits.redis.link import Link, framed
from service.limits.redis.own_counts import OwnCounts
from service.limits.redis.reasons import Gone, Reason
from service.limits.redis.restoring import Restoring
from service.limits.redis.script import load
from service.limits.redis.shares import Place, Places
from service.limits.redis.standing import Standing

BEAT_SECONDS = 2.0
RETURN_SECONDS = 0.2
"""Between two heartbeats while others are waited for."""
SILENCE_SECONDS = 6.0
"""After which a process is not counted, or waited for, any more."""
PATIENCE = 20
"""Deadlines that a connection with its first heartbeat may take: nobody waits for it."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two tries while Redis is away: at most, and doubled each time up to the longest."""
_ROUNDS = 5
_MICROSECONDS = 1e6


class Keeper:
    """Beats while Redis is up, and tries to reach it while it is down, with full jitter between the tries.

    When it is reached again, it is told of what was admitted meanwhile, or of all that was admitted if it does not know
    this process any more. It decides again when all processes have been heard since: one that still goes
    by its share admits what Redis would admit to another.

    Args:
        link: to Redis.
        names: of keys.
        standing: is told.
        own: what decides while Redis is down.
        deadline: seconds in which it must answer to be believed in again.
    """

    def __init__(self, link: Link, names: KeyNames, *, standing: Standing, own: OwnCounts, deadline: float) -> None:
        self._link = link
        self._script = load("heartbeat")
        self._keys = (names.processes(),)
        silence = framed(b"%d" % (SILENCE_SECONDS * 1000))
        self._arguments = (framed(secrets.token_hex(8).encode()), silence)
        self._restoring = Restoring(link, names, patience=PATIENCE * deadline)
        self._standing = standing
        self._own = own
        self._places = Places()
        self._deadline = deadline
        self._fallen = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._returning: float | None = None  # since when Redis answers again, by its clock
        self._told_until = math.inf  # up to when it knows of our hits

    async def start(self) -> Reason | None:
        """Reach Redis for the first time, and keep in touch from now on. Why it was not reached, or None."""
        await self._try()
        self._task = asyncio.create_task(self._run())
        return self._standing.reason

    async def stop(self) -> None:
        """End the task."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def fell(self, reason: Reason) -> None:
        """Go by the own share from now on."""
        place = self._places.believed
        self._own.restrict(place)
        self._told_until = min(self._told_until, self._own.now())
        self._returning = None
        self._standing.fall(reason, place.of)
        self._fallen.set()

    async def _run(self) -> None:
        failures = 0
        while True:
            self._fallen.clear()
            if self._standing.up:
                with suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_SECONDS * random.uniform(0.9, 1.0)):  # noqa: S311 - no secret
                        await self._fallen.wait()
                failures *= not self._standing.up  # it has lasted
            elif self._returning is not None:
                await asyncio.sleep(RETURN_SECONDS)
            else:
                await asyncio.sleep(random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**failures)))  # noqa: S311
                failures = min(failures + 1, 10)
            if not self._fallen.is_set():
                await self._try()

    async def _try(self) -> None:
        try:
            await self._beat()
        except Gone as gone:
            self.fell(gone.reason)
        except TimeoutError:
            self.fell(Reason.TIMEOUT)

    async def _beat(self) -> None:
        now, place, heard, new = await self._say()
        self._own.set_clock(now)
        if not self._standing.up:
            if self._told_until < math.inf:  # it was away
                if new:  # to a server that was told: it may have forgotten everything
                    self._told_until = 0.0
                await self._tell()
                if not self._all_back(now, heard):
                    return
                self._told_until = math.inf
            self._own.release()
            self._standing.rise()
        self._places.tell(place)

    async def _say(self) -> tuple[float, Place, int, bool]:
        """Say that this process lives.

        Returns:
            The time (seconds), this process's place, how many were heard since Redis is back, and whether it had not
            known of this one.
        """
        clock = asyncio.get_running_loop().time
        since = framed(b"%d" % (1000 * (self._returning or 0.0)))
        async with asyncio.timeout(PATIENCE * self._deadline):
            if not self._link.connected:
                await self._link.connect()
            begun = clock()
            now, rank, count, heard, new = await self._link.call(self._script, self._keys, (*self._arguments, since))
        if not self._standing.up and clock() - begun > self._deadline:
            raise Gone(Reason.TIMEOUT)  # it would fail the next decision again
        return now / _MICROSECONDS, Place(rank, count), heard, new == 1

    async def _tell(self) -> None:
        """Tell of our hits, and of those that are admitted meanwhile, until hardly any is left."""
        for _ in range(_ROUNDS):
            now = self._own.now()
            if not await self._restoring.tell(self._own.since(self._told_until)):
                break
            self._told_until = now

    def _all_back(self, now: float, heard: int) -> bool:
        if self._returning is None:
            self._returning = now
            heard = 1
        return heard >= self._places.believed.of or now - self._returning > SILENCE_SECONDS
