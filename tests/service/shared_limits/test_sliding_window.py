"""The sliding window in the real server against a brute-force model, on the server's clock."""

from collections import defaultdict
from struct import iter_unpack, pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.limits import Decision
from service.limits.redis.key_names import KeyNames
from service.limits.redis.link import Link, framed
from service.limits.redis.script import Script, load
from service.settings import RateLimitPolicy

# Limit and window in microseconds. A round trip takes a few hundred: nothing has to wait.
RULES = {b"one": (1, 500.0), b"few": (3, 2_000.0), b"many": (20, 10_000.0)}
WINDOW = load("sliding_window")

# What is put before the script: a clock that stands still, and a hit so many microseconds ago.
STANDING_STILL = b"""
local server, stopped = redis, redis.call('TIME')
local redis = {call = function(name, ...)
  if name == 'TIME' then return stopped end
  return server.call(name, ...)
end}
redis.call('RPUSH', KEYS[1], string.format('%%.0f', stopped[1] * 1000000 + stopped[2] - (%d)))
"""


class Model:
    """The definition, word for word: admitted hits in (t - window, t]."""

    def __init__(self):
        self.admitted = defaultdict(list)

    def hit(self, rule, key, now):
        limit, window = RULES[rule]
        inside = [t for t in self.admitted[rule, key] if now - window < t <= now]
        if len(inside) >= limit:
            return 0, len(inside), inside[0]
        self.admitted[rule, key].append(now)
        return 1, len(inside) + 1, [*inside, now][0]


async def verdicts(link, keys, rules, *, counts=1, script=WINDOW):
    """One call: the time, and (admitted, used, oldest) by key."""
    arguments = [framed(pack(">ddB", *rule, counts)) for rule in rules]
    reply = await link.call(script, [framed(key) for key in keys], arguments)
    ((now,),) = iter_unpack(">d", reply[:8])
    return now, list(iter_unpack(">Bdd", reply[8:]))


BATCHES = st.lists(st.lists(st.tuples(st.sampled_from(sorted(RULES)), st.integers(0, 2)), min_size=1, max_size=12))


@settings(max_examples=60)
@given(batches=BATCHES)
async def test_every_decision_is_the_models(redis_server, batches):
    """No hit is admitted or refused that the definition would not admit or refuse, in batches of any kind."""
    link, model, names = Link(redis_server.url), Model(), KeyNames(redis_server.new_secret())
    await link.connect()
    try:
        for batch in batches:
            keys = [b"%b %b %d" % (names.processes(), rule, key) for rule, key in batch]
            now, decided = await verdicts(link, keys, [RULES[rule] for rule, _ in batch])
            assert decided == [model.hit(rule, key, now) for rule, key in batch]
    finally:
        await link.close()


@pytest.mark.parametrize(
    ("ago", "used"),
    [(60e6, 0), (60e6 - 1, 1), (0, 1), (-1, 1), (-60e6, 1), (-60e6 - 1, 0)],
    ids=["at the edge", "just inside", "now", "ahead", "a window ahead", "further ahead"],
)
async def test_the_edges_of_the_window(redis_server, ago, used):
    """A hit at t is out at t + window, to the microsecond; one of a clock that was set back a whole window, too."""
    link = Link(redis_server.url)
    await link.connect()
    try:
        source = STANDING_STILL % ago + WINDOW.source
        key = redis_server.new_secret()
        _, ((admitted, counted, _),) = await verdicts(
            link, [key], [(1, 60e6)], counts=0, script=Script(source, b"0" * 40)
        )
        assert (admitted, counted) == (1 - used, used)
    finally:
        await link.close()


async def test_what_a_decision_says(redis_server, replica):
    """What remains, and when more is admitted; a peek counts nothing, and a refusal neither."""
    policies = {"default": RateLimitPolicy(limit=2, window=3600.0)}
    async with replica(redis_server.url, redis_server.new_secret(), policies) as one:
        assert await one.limiter.peek("default", "ada") == Decision(True, 2, 2, 3600.0, 3600.0)
        assert await one.limiter.hit("default", "ada") == Decision(True, 2, 1, 3600.0, 3600.0)
        peeked = await one.limiter.peek("default", "ada")
        assert (peeked.allowed, peeked.remaining) == (True, 1)
        assert 0 < peeked.resets_in < 3600
        assert await one.admitted(5) == 1
        refused = await one.limiter.hit("default", "ada")
        assert (refused.allowed, refused.remaining) == (False, 0)
        assert (await one.limiter.peek("default", "ada")).resets_in <= refused.resets_in < peeked.resets_in
        assert (await one.limiter.hit("default", "bob")).allowed


async def test_processes_count_together(redis_server, replica):
    """What one process admits, another does not admit once more; another deployment's processes do."""
    secret = redis_server.new_secret()
    async with replica(redis_server.url, secret) as one, replica(redis_server.url, secret) as two:
        assert await one.admitted(7) + await two.admitted(7) == 10
        async with replica(redis_server.url, redis_server.new_secret()) as other:
            assert await other.admitted(11) == 10


async def test_an_unknown_policy_is_an_error(redis_server, replica):
    """A policy that nobody configured is no silent exemption."""
    async with replica(redis_server.url, redis_server.new_secret()) as one:
        for decide in (one.limiter.hit, one.limiter.peek):
            with pytest.raises(KeyError):
                await decide("none", "ada")


async def test_keys_tell_nobody_and_end_by_themselves(mortal_redis, replica):
    """No name holds a caller's, all have one hash tag, and each goes when its last hit is out of its window."""
    policies = {"default": RateLimitPolicy(limit=5, window=3600.0), "auth": RateLimitPolicy(limit=5, window=60.0)}
    callers = ("sub:ada@example.com", "ip:192.0.2.7", "ip:2001:db8/64")
    async with replica(mortal_redis.url, b"secret", policies) as one:
        for caller in callers:
            await one.limiter.hit("default", caller)
            await one.limiter.hit("auth", caller)
        keys = mortal_redis.ask("KEYS", "*").split()
        assert len(keys) == 7
        assert len({key.partition("}")[0] for key in keys}) == 1
        assert all(key.startswith("{clearstory:") for key in keys)
        assert not [key for key in keys for part in ("ada", "example", "192", "2001", "db8") if part in key]
        for key in keys:
            left = int(mortal_redis.ask("PTTL", key))
            assert 0 < left <= (3_600_001 if ":default:" in key else 60_001 if ":auth:" in key else 6_000)


def test_names_depend_on_the_secret_whatever_its_length():
    """Two deployments never meet, nor does one that knows a digest learn whose it is."""
    secrets = (b"", b"k" * 16, b"k" * 64, b"k" * 65, b"k" * 200)
    assert len({KeyNames(secret).digest("ip:192.0.2.7") for secret in secrets}) == len(secrets)
    assert len({KeyNames(secret).processes() for secret in secrets}) == len(secrets)
