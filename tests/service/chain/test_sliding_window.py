"""The sliding window against a brute-force model."""

import tracemalloc
from collections import defaultdict
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.limits import Decision, SlidingWindow
from service.settings import RateLimitPolicy
from tests.service.chain.chain import Clock

POLICIES = {
    "one": RateLimitPolicy(limit=1, window=1.0),
    "few": RateLimitPolicy(limit=3, window=2.5),
    "many": RateLimitPolicy(limit=20, window=10.0),
}


class Model:
    """The definition, word for word: admitted hits in (t - window, t]."""

    def __init__(self, policies):
        self.policies = policies
        self.admitted = defaultdict(list)

    def hit(self, policy, key, now):
        limit, window = self.policies[policy].limit, self.policies[policy].window
        inside = [t for t in self.admitted[policy, key][-limit:] if now - window < t <= now]
        if len(inside) >= limit:
            return False
        self.admitted[policy, key].append(now)
        return True


# Steps of a quarter second meet the windows' edges exactly, again and again.
EXACT = st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.5, 10.0])
HITS = st.lists(st.tuples(EXACT | st.floats(0, 12), st.sampled_from(sorted(POLICIES)), st.integers(0, 4)), max_size=200)


@settings(max_examples=300, deadline=None)
@given(hits=HITS)
async def test_every_decision_is_the_models(hits):
    """No request is admitted or refused that the definition would not admit or refuse."""
    clock, model = Clock(1000.0), Model(POLICIES)
    window = SlidingWindow(POLICIES, clock=clock)
    for step, policy, key in hits:
        clock.now += step
        expected = model.hit(policy, str(key), clock.now)
        peeked = await window.peek(policy, str(key))
        decision = await window.hit(policy, str(key))
        assert expected == peeked.allowed == decision.allowed


@pytest.mark.parametrize("seed", range(5))
async def test_ten_thousand_interleaved_requests(seed):
    """10,000 requests of many keys under several policies: 0 over-admissions and 0 wrong refusals."""
    random = Random(seed)
    clock, model = Clock(0.0), Model(POLICIES)
    window = SlidingWindow(POLICIES, clock=clock)
    wrong = 0
    for _ in range(10_000):
        clock.now += random.choice([0.0, 0.001, 0.01, 0.25, random.random() / 10])
        policy, key = random.choice(sorted(POLICIES)), str(random.randrange(12))
        decision = await window.hit(policy, key)
        wrong += decision.allowed is not model.hit(policy, key, clock.now)
    assert wrong == 0


async def test_a_hit_leaves_the_window_exactly_at_its_edge():
    """A hit at t no longer counts at t + window, and still counts a moment before."""
    clock = Clock(100.0)
    window = SlidingWindow({"p": RateLimitPolicy(limit=1, window=60.0)}, clock=clock)
    assert (await window.hit("p", "k")).allowed
    clock.now = 159.999999
    assert not (await window.hit("p", "k")).allowed
    clock.now = 160.0
    assert (await window.hit("p", "k")).allowed


async def test_what_a_decision_says():
    """A decision tells what remains and when more is admitted."""
    clock = Clock(0.0)
    window = SlidingWindow({"p": RateLimitPolicy(limit=2, window=10.0)}, clock=clock)
    assert await window.hit("p", "k") == Decision(True, 2, 1, 10.0, 10.0)
    clock.now = 4.0
    assert await window.hit("p", "k") == Decision(True, 2, 0, 6.0, 10.0)
    assert await window.hit("p", "k") == Decision(False, 2, 0, 6.0, 10.0)
    clock.now = 10.0
    assert await window.peek("p", "k") == Decision(True, 2, 1, 4.0, 10.0)


async def test_refused_hits_are_not_counted():
    """Who keeps knocking is admitted again when the admitted hits are out of the window."""
    clock = Clock(0.0)
    window = SlidingWindow({"p": RateLimitPolicy(limit=1, window=10.0)}, clock=clock)
    await window.hit("p", "k")
    for second in range(1, 10):
        clock.now = float(second)
        assert not (await window.hit("p", "k")).allowed
    clock.now = 10.0
    assert (await window.hit("p", "k")).allowed


async def test_keys_and_policies_do_not_share_counts():
    """One key's hits, or one policy's, never count against another's."""
    window = SlidingWindow(POLICIES, clock=Clock(0.0))
    assert (await window.hit("one", "a")).allowed
    assert (await window.hit("one", "b")).allowed
    assert (await window.hit("few", "a")).allowed
    assert not (await window.hit("one", "a")).allowed


async def test_idle_keys_are_forgotten_even_without_traffic_to_their_policy():
    """Two windows after its last hit a key takes no memory, also when only other policies have traffic."""
    clock = Clock(0.0)
    window = SlidingWindow(POLICIES, clock=clock)
    for key in range(100):
        await window.hit("many", str(key))
    for second in range(1, 41):
        clock.now = float(second)
        await window.hit("one", "x")
    assert window.keys("many") == 0


async def test_keys_beyond_the_maximum_share_one_count():
    """A flood of keys is limited rather than admitted, is said once, and no known key loses its count."""
    clock, said = Clock(0.0), []
    policies = {"p": RateLimitPolicy(limit=2, window=10.0)}
    window = SlidingWindow(policies, clock=clock, max_keys=10, on_overflow=said.append)
    for key in range(10):
        await window.hit("p", str(key))
    outcomes = [(await window.hit("p", f"new {key}")).allowed for key in range(5)]
    assert outcomes == [True, True, False, False, False]
    assert (await window.hit("p", "3")).remaining == 0
    assert not (await window.hit("p", "3")).allowed
    assert said == ["p"]
    assert window.keys("p") == 11


async def test_memory_of_many_keys_stays_under_the_stated_bound():
    """200,000 keys with a hit each take at most 160 bytes a key, and none loses its count."""
    clock = Clock(0.0)
    window = SlidingWindow({"p": RateLimitPolicy(limit=1, window=60.0)}, clock=clock)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for key in range(200_000):
            clock.now += 0.0001
            await window.hit("p", f"ip:{key}")
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / 200_000 <= 160
    for key in range(0, 200_000, 997):
        assert not (await window.hit("p", f"ip:{key}")).allowed


async def test_an_unknown_policy_is_an_error():
    """A policy that nobody configured is no silent exemption."""
    with pytest.raises(KeyError):
        await SlidingWindow(POLICIES).hit("none", "k")
