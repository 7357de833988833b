"""Decisions that share round trips, and what becomes of them when there is no answer in time."""

import asyncio
import re
import time

import pytest

from service.limits.redis import group_commit
from tests.patience import PATIENCE, until


def calls(server) -> int:
    """How often the server was asked to decide."""
    return sum(map(int, re.findall(r"cmdstat_eval(?:sha)?:calls=(\d+)", server.ask("INFO", "commandstats"))))


async def test_concurrent_decisions_share_round_trips(mortal_redis, replica):
    """600 hits at once are 3 calls, each decided on its own; one at a time each has its own."""
    async with replica(mortal_redis.url, b"secret") as one:
        await one.limiter.hit("default", "first")
        before = calls(mortal_redis)
        callers = [f"caller {number % 50}" for number in range(600)]
        decisions = await asyncio.gather(*(one.limiter.hit("default", caller) for caller in callers))
        assert calls(mortal_redis) - before <= 4  # a heartbeat may have been among them
        assert sum(decision.allowed for decision in decisions) == 50 * 10


async def test_those_that_come_meanwhile_make_the_next_trip(mortal_redis, replica):
    """While a round trip is under way, others wait together and are decided by the next one."""
    async with replica(mortal_redis.url, b"secret") as one:
        await one.limiter.hit("default", "first")
        before = calls(mortal_redis)
        mortal_redis.freeze()
        asked = []
        for number in range(100):
            asked.append(asyncio.create_task(one.limiter.hit("default", f"caller {number}")))
            await asyncio.sleep(0)
        mortal_redis.thaw()
        assert all(decision.allowed for decision in await asyncio.gather(*asked))
        assert calls(mortal_redis) - before <= 4


async def test_who_leaves_takes_no_answer_from_the_others(mortal_redis, replica):
    """A cancelled request's place in the batch is nobody's, and every other gets its own decision."""
    async with replica(mortal_redis.url, b"secret") as one:
        mortal_redis.freeze()
        tasks = [asyncio.create_task(one.limiter.hit("default", f"{number}")) for number in range(30)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        mortal_redis.thaw()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in done[::2])
        assert [each.remaining for each in done[1::2]] == [9] * 15
        assert one.backend.deciding() == ("redis", None)


async def test_a_server_that_forgot_its_scripts_is_told_them_again(mortal_redis, replica):
    """SCRIPT FLUSH costs a round trip, and no decision."""
    async with replica(mortal_redis.url, b"secret") as one:
        assert await one.admitted(4) == 4
        mortal_redis.ask("SCRIPT", "FLUSH")
        assert await one.admitted(8) == 6
        assert one.metric("rate_limit_backend_errors_total") == 0


async def test_nobody_waits_longer_than_the_deadline(mortal_redis, replica):
    """A server that answers nobody is given up at the deadline by all who wait; the next ones do not even ask."""
    async with replica(mortal_redis.url, b"secret", deadline=1.0) as one:
        assert (await one.limiter.hit("default", "ada")).allowed
        mortal_redis.freeze()
        begun = time.monotonic()
        decisions = await asyncio.gather(*(one.limiter.hit("default", f"{number}") for number in range(300)))
        assert time.monotonic() - begun >= 0.9
        assert len(decisions) == 300
        assert one.backend.deciding() == ("share", "no answer within the deadline")
        assert one.metric("rate_limit_backend_errors_total") == 300
        assert one.metric("rate_limit_backend_up") == 0
        # Without a trip to Redis a decision does not wait for anything: it is made in one step.
        with pytest.raises(StopIteration):
            one.limiter.hit("default", "ada").send(None)


async def test_a_process_that_stood_still_does_not_blame_redis(mortal_redis, replica, monkeypatch):
    """The answer had come when the deadline's timer was looked at, late: it counts."""
    monkeypatch.setattr(group_commit, "SECOND_LOOK", PATIENCE)
    async with replica(mortal_redis.url, b"secret", deadline=0.3) as one:
        await until(lambda: one.backend.deciding().by == "redis")
        before = calls(mortal_redis)
        asked = asyncio.create_task(one.limiter.hit("default", "ada"))
        for _ in range(5):
            await asyncio.sleep(0)
        until_over = time.monotonic() + 0.5
        while calls(mortal_redis) == before or time.monotonic() < until_over:
            pass  # nothing else runs in this process
        assert (await asked).remaining == 9
        assert one.metric("rate_limit_backend_errors_total") == 0
