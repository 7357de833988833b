"""Redis gone, back, and back with nothing: what processes admit meanwhile, and what is told."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from service.limits.redis import keeper as keeping
from service.limits.redis.shares import HEARD, STRANGERS, Place, Places
from service.settings import RateLimitPolicy
from tests.patience import until


@given(limit=st.integers(1, 1000), count=st.integers(1, 50))
def test_shares_add_up_to_the_limit(limit, count):
    """Whatever the limit and however many processes: together the whole limit, and no more."""
    shares = [Place(rank, count).share(limit) for rank in range(count)]
    assert sum(shares) == limit
    assert max(shares) - min(shares) <= 1


def test_who_was_told_of_many_does_not_believe_in_few_at_once():
    """A server that came back empty hears its processes one by one; none takes the whole limit meanwhile."""
    places = Places()
    assert places.believed.of == STRANGERS
    for _ in range(HEARD):
        places.tell(Place(2, 4))
    assert places.believed == (2, 4)
    for _ in range(HEARD - 1):
        places.tell(Place(0, 1))
        assert places.believed == (2, 4)
    places.tell(Place(0, 1))
    assert places.believed == (0, 1)
    places.tell(Place(5, 6))
    assert places.believed == (5, 6)


def knows(replica, count):
    """Whether a process believes in so many."""
    return replica.backend._keeper._places.believed.of == count


async def test_each_goes_by_its_share(mortal_redis, replica, quick_beats):
    """With Redis gone, three processes together admit exactly the limit; a limit of one is one process's."""
    start = [replica(mortal_redis.url, b"secret") for _ in range(3)]
    async with start[0] as one, start[1] as two, start[2] as three:
        replicas = (one, two, three)
        await until(lambda: all(knows(each, 3) for each in replicas))
        mortal_redis.kill()
        for each in replicas:
            await each.decides_by("share")
        assert sorted([await each.admitted(20, key="bob") for each in replicas]) == [3, 3, 4]
        assert sorted([await each.admitted(20, "single") for each in replicas]) == [0, 0, 1]
        for each in replicas:
            refused = await each.limiter.hit("single", "bob")
            refused = await each.limiter.hit("single", "bob")
            assert (refused.allowed, refused.limit, refused.remaining) == (False, 1, 0)
            assert refused.resets_in > 0


async def test_what_was_admitted_before_counts(mortal_redis, replica, quick_beats):
    """A process that admitted more than its share before the outage admits nothing in it."""
    async with replica(mortal_redis.url, b"secret") as one, replica(mortal_redis.url, b"secret") as two:
        await until(lambda: knows(one, 2) and knows(two, 2))
        assert (await one.admitted(8), await two.admitted(1)) == (8, 1)
        mortal_redis.kill()
        for each in (one, two):
            await each.decides_by("share")
        peeked = await one.limiter.peek("default", "ada")
        assert (peeked.allowed, peeked.limit, peeked.remaining) == (False, 10, 0)
        assert (await one.admitted(20), await two.admitted(20)) == (0, 4)


async def test_a_process_that_never_reached_redis_takes_a_small_share(redis_server, replica):
    """Nobody has told it how many there are: never the whole limit."""
    policies = {"default": RateLimitPolicy(limit=100, window=3600.0)}
    async with replica("redis://127.0.0.1:1/0", b"secret", policies) as one:
        assert one.backend.deciding() == ("share", "nothing answers there")
        assert await one.admitted(100) == 100 // STRANGERS


async def test_back_with_nothing(mortal_redis, replica, quick_beats):
    """A restarted, empty server is told what it has lost: an outage costs no second limit, however often."""
    async with replica(mortal_redis.url, b"secret") as one, replica(mortal_redis.url, b"secret") as two:
        await until(lambda: knows(one, 2) and knows(two, 2))
        assert (await one.admitted(3), await two.admitted(1)) == (3, 1)
        for number in range(3):
            mortal_redis.kill()
            for each in (one, two):
                await each.decides_by("share")
            # The first loop: what is left of a half after what was admitted before.
            expected = (2, 4) if number == 0 else (0, 0)
            assert (await one.admitted(20), await two.admitted(20)) == expected
            mortal_redis.start()
            for each in (one, two):
                await each.decides_by("redis")
            assert one.metric("rate_limit_backend_up") == 1
            assert (await one.admitted(20), await two.admitted(20)) == (0, 0)
            assert await one.admitted(7, key=f"{number}") + await two.admitted(7, key=f"{number}") == 10


async def test_back_with_everything(mortal_redis, replica, quick_beats):
    """What a server that was only away still knows is not counted twice."""
    async with replica(mortal_redis.url, b"secret", deadline=1.0) as one:
        await until(lambda: knows(one, 1) and one.backend.deciding().by == "redis")
        assert await one.admitted(4) == 4
        mortal_redis.freeze()
        assert await one.admitted(3) == 3
        assert one.backend.deciding().by == "share"
        mortal_redis.thaw()
        await one.decides_by("redis")
        # It may have counted, later, the hit that it did not answer in time.
        left = (await one.limiter.peek("default", "ada")).remaining
        assert left in (2, 3)
        assert await one.admitted(20) == left


async def test_nobody_returns_before_the_others_are_heard(mortal_redis, replica, quick_beats, monkeypatch):
    """Redis decides for none while another may still go by its share; one that never comes is not waited for long."""
    async with replica(mortal_redis.url, b"secret") as one, replica(mortal_redis.url, b"secret") as two:
        await until(lambda: knows(one, 2) and knows(two, 2))
        mortal_redis.kill()
        for each in (one, two):
            await each.decides_by("share")
        await two.backend._keeper.stop()
        monkeypatch.setattr(keeping, "SILENCE_SECONDS", 0.5)
        mortal_redis.start()
        await until(lambda: one.backend._keeper._returning is not None)
        begun = one.backend._keeper._returning
        assert one.backend.deciding().by == "share"
        await one.decides_by("redis")
        assert one.backend._keeper._own.now() - begun > keeping.SILENCE_SECONDS


async def test_restoring_many_keys_and_many_hits(mortal_redis, replica, quick_beats):
    """Thousands of keys, and a key of thousands of hits, are told in several calls, and are all there."""
    policies = {
        "default": RateLimitPolicy(limit=2, window=3600.0),
        "single": RateLimitPolicy(limit=5000, window=3600.0),
    }
    async with replica(mortal_redis.url, b"secret", policies) as one:
        await until(lambda: knows(one, 1))
        await asyncio.gather(*(one.limiter.hit("default", f"{number}") for number in range(3000)))
        await asyncio.gather(*(one.limiter.hit("single", "ada") for _ in range(4000)))
        mortal_redis.kill()
        await one.decides_by("share")
        mortal_redis.start()
        await one.decides_by("redis")
        left = await asyncio.gather(*(one.limiter.peek("default", f"{number}") for number in range(3000)))
        assert {each.remaining for each in left} == {1}
        assert (await one.limiter.peek("single", "ada")).remaining == 1000


async def test_one_try_at_a_time_whatever_the_load(replica, monkeypatch):
    """While Redis is away only the keeper tries, with a pause that grows; thousands of decisions add nothing."""
    tries = 0

    async def slam(_reader, writer):
        nonlocal tries
        tries += 1
        writer.close()

    pauses = []
    monkeypatch.setattr(keeping.random, "uniform", lambda low, high: pauses.append((low, high)) or 0.001)
    server = await asyncio.start_server(slam, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, replica(f"redis://127.0.0.1:{port}", b"secret") as one:
        while len(pauses) < 8:
            await asyncio.gather(*(one.limiter.hit("default", "ada") for _ in range(100)))
            await asyncio.sleep(0)
        assert tries <= len(pauses) + 1
    assert pauses[:8] == [(0, min(5.0, 0.1 * 2**n)) for n in range(8)]


async def test_a_process_that_ended_is_forgotten(mortal_redis, replica, quick_beats, monkeypatch):
    """A process that is silent for long enough is not counted any more."""
    monkeypatch.setattr(keeping, "SILENCE_SECONDS", 0.25)
    async with replica(mortal_redis.url, b"secret") as one:
        async with replica(mortal_redis.url, b"secret"):
            await until(lambda: knows(one, 2))
        await until(lambda: knows(one, 1))
