"""Budgets of tokens against a brute-force model."""

import tracemalloc
from collections import defaultdict
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.limits import Refusal, TokenBudget
from service.limits.token_budget import MOST
from tests.service.limits.budgets import Clock, Limits, Model

POLICIES = {"tiny": Limits(1, 1.0), "few": Limits(10, 2.5), "many": Limits(40, 10.0)}

# Steps of a 64th second are exact, and quarters meet the windows' edges again and again.
STEPS = st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.5, 10.0]) | st.integers(0, 768).map(lambda n: n / 64)
OPERATIONS = st.lists(
    st.tuples(
        STEPS,
        st.sampled_from(sorted(POLICIES)),
        st.integers(0, 2),
        st.integers(0, 45),
        st.none() | st.tuples(st.integers(0, 9), st.integers(0, 60)),
    ),
    max_size=150,
)


class Compared:
    """A budget and its model, which are asked the same."""

    def __init__(self, **options) -> None:
        self.clock = Clock(1000.0)
        self.budget = TokenBudget(POLICIES, clock=self.clock, **options)
        self.models = defaultdict(list)
        for policy, limits in POLICIES.items():
            self.models[policy] = [Model(limits.tokens, limits.window) for _ in range(3)]
        self.open = defaultdict(list)

    async def reserve(self, policy, key, tokens):
        model, now = self.models[policy][key], self.clock.now
        taken = await self.budget.reserve(policy, str(key), tokens)
        assert isinstance(taken, Refusal) is not model.fits(tokens, now)
        if isinstance(taken, Refusal):
            assert taken == self.expected_refusal(model, tokens, now)
        else:
            model.open.append(tokens)
            self.open[policy, key].append(taken)

    async def settle(self, policy, key, index, used):
        waiting = self.open[policy, key]
        if waiting:
            index %= len(waiting)
            assert await waiting.pop(index).settle(used) == used
            self.models[policy][key].settle(index, used, self.clock.now)

    @staticmethod
    def expected_refusal(model, tokens, now):
        if tokens > model.tokens:
            return Refusal("too_large", model.window)
        wait = model.wait(tokens, now)
        if wait is not None:
            return Refusal("spent", wait)
        settled_unused = Model(model.tokens, model.window, model.settled)
        return Refusal("open", settled_unused.wait(tokens, now))

    def check(self):
        for models in self.models.values():
            for model in models:
                assert model.counted(self.clock.now) <= model.tokens + model.overrun(self.clock.now)


@settings(max_examples=400, deadline=None)
@given(operations=OPERATIONS)
async def test_every_decision_is_the_models(operations):
    """Nothing that fits is refused, the sum never exceeds the budget but by overruns, and every wait is exact."""
    compared = Compared()
    for step, policy, key, tokens, settling in operations:
        compared.clock.now += step
        if settling is None:
            await compared.reserve(policy, key, tokens)
        else:
            await compared.settle(policy, key, *settling)
        compared.check()


@pytest.mark.parametrize("seed", range(5))
async def test_ten_thousand_interleaved_operations(seed):
    """10,000 reservations and settlements at any time: 0 wrong admissions, 0 wrong refusals, 0 wrong waits."""
    random, compared = Random(seed), Compared()
    for _ in range(10_000):
        compared.clock.now += random.choice([0.0, 1 / 64, 0.25, random.randrange(64) / 64])
        policy, key = random.choice(sorted(POLICIES)), random.randrange(3)
        if random.random() < 0.5:
            await compared.reserve(policy, key, random.randrange(POLICIES[policy].tokens + 2))
        else:
            await compared.settle(policy, key, random.randrange(9), random.randrange(POLICIES[policy].tokens + 5))
        compared.check()
    assert sum(len(model.settled) for models in compared.models.values() for model in models) > 1000


@settings(max_examples=200, deadline=None)
@given(
    calls=st.lists(
        st.tuples(STEPS, st.integers(1, 10), st.lists(st.tuples(STEPS, st.integers(0, 4)), max_size=5)), max_size=40
    )
)
async def test_no_window_holds_more_than_the_budget_whenever_a_call_spends(calls):
    """Calls may last longer than the window and spend at any time: no window's real spending is over the budget."""
    clock = Clock(0.0)
    budget = TokenBudget({"few": Limits(10, 2.5)}, clock=clock)
    events, spent, reservations = [], [], {}
    for number, (start, reserved, pieces) in enumerate(calls):
        events.append((start * 4, number, "begin", reserved))
        at, left = start * 4, reserved
        for step, tokens in pieces:
            at, piece = at + step, min(tokens, left)
            left -= piece
            events.append((at, number, "spend", piece))
        events.append((at, number, "end", reserved - left))
    for at, number, what, tokens in sorted(events, key=lambda event: event[0]):
        clock.now = at
        if what == "begin":
            taken = await budget.reserve("few", "k", tokens)
            if not isinstance(taken, Refusal):
                reservations[number] = taken
        elif number in reservations and what == "spend":
            spent.append((at, tokens))
        elif number in reservations:
            await reservations[number].settle(tokens)
    for end, _ in spent:
        assert sum(tokens for t, tokens in spent if end - 2.5 < t <= end) <= 10


@settings(max_examples=300, deadline=None)
@given(
    start=st.floats(0, 1e9),
    window=st.floats(0.01, 86_400),
    calls=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 10)), min_size=1, max_size=20),
    tokens=st.integers(1, 10),
)
async def test_who_waits_as_long_as_was_said_is_admitted(start, window, calls, tokens):
    """Whatever the clock reads, after the wait it fits and a moment before it does not: no rounding cuts it short."""
    clock = Clock(start)
    budget = TokenBudget({"p": Limits(10, window)}, clock=clock)
    for step, used in calls:
        clock.now += step * window
        taken = await budget.reserve("p", "k", used)
        if not isinstance(taken, Refusal):
            await taken.settle(used)
    refused = await budget.reserve("p", "k", tokens)
    if isinstance(refused, Refusal):
        now, moment = clock.now, 1e-6
        clock.now = now + refused.retry_after - moment
        assert refused.retry_after < moment or isinstance(await budget.reserve("p", "k", tokens), Refusal)
        clock.now = now + refused.retry_after
        assert not isinstance(await budget.reserve("p", "k", tokens), Refusal)


async def test_a_reservation_is_settled_once():
    """The first settlement decides; what comes later changes nothing."""
    budget = TokenBudget({"p": Limits(10)}, clock=Clock())
    taken = await budget.reserve("p", "k", 10)
    assert await taken.settle(4) == 4
    assert await taken.settle(10) == 0
    assert not isinstance(await budget.reserve("p", "k", 6), Refusal)
    assert await budget.reserve("p", "k", 1) == Refusal("spent", 60.0)


async def test_settling_with_nothing_gives_all_back():
    """A call that used nothing leaves no trace, not even its key."""
    budget = TokenBudget({"p": Limits(10)}, clock=Clock())
    await (await budget.reserve("p", "k", 10)).settle(0)
    assert budget.keys("p") == 0


async def test_spent_tokens_leave_exactly_at_the_windows_edge():
    """Tokens settled at t no longer count at t + window, and still count a moment before."""
    clock = Clock(100.0)
    budget = TokenBudget({"p": Limits(10)}, clock=clock)
    await (await budget.reserve("p", "k", 1)).settle(10)
    clock.now = 159.999999
    assert isinstance(await budget.reserve("p", "k", 1), Refusal)
    clock.now = 160.0
    assert not isinstance(await budget.reserve("p", "k", 10), Refusal)


async def test_a_reservation_longer_than_many_windows_still_counts():
    """What is open is not forgotten, however long it is open and whatever else happens."""
    clock = Clock(0.0)
    budget = TokenBudget({"p": Limits(10, 1.0)}, clock=clock)
    taken = await budget.reserve("p", "k", 8)
    for second in range(1, 20):
        clock.now = float(second)
        await (await budget.reserve("p", "other", 1)).settle(1)
        assert await budget.reserve("p", "k", 3) == Refusal("open", 0.0)
    await taken.settle(8)
    assert await budget.reserve("p", "k", 3) == Refusal("spent", 1.0)


async def test_a_providers_nonsense_settles_too():
    """A negative or an absurd number of used tokens closes the reservation, and is brought into range."""
    budget = TokenBudget({"p": Limits(10)}, clock=Clock())
    assert await (await budget.reserve("p", "k", 10)).settle(-5) == 0
    assert await (await budget.reserve("p", "k", 10)).settle(10**40) == MOST
    assert await budget.reserve("p", "k", 1) == Refusal("spent", 60.0)


async def test_negative_tokens_are_not_reserved():
    """A negative reservation would make room for others; it is an error."""
    with pytest.raises(ValueError, match="must not be negative"):
        await TokenBudget({"p": Limits(10)}).reserve("p", "k", -1)


async def test_without_a_budget_everything_fits():
    """A policy without tokens admits anything and keeps nothing; settling still says what was counted, once."""
    budget = TokenBudget({"free": Limits(None), "p": Limits(1)})
    taken = await budget.reserve("free", "k", 10**9)
    assert (await taken.settle(5), await taken.settle(5)) == (5, 0)


async def test_an_unknown_policy_is_an_error():
    """A policy that nobody configured is no silent exemption."""
    with pytest.raises(KeyError):
        await TokenBudget(POLICIES).reserve("none", "k", 1)


async def test_idle_keys_are_forgotten_even_without_traffic_to_their_policy():
    """Two windows after its last settlement a key takes no memory, also when only other policies have traffic."""
    clock = Clock(0.0)
    budget = TokenBudget(POLICIES, clock=clock)
    for key in range(100):
        await (await budget.reserve("many", str(key), 1)).settle(1)
    assert budget.keys("many") == 100
    for second in range(1, 41):
        clock.now = float(second)
        await (await budget.reserve("tiny", "x", 1)).settle(1)
    assert budget.keys("many") == 0


async def test_a_key_is_in_memory_once():
    """A key that comes back after a while is not kept twice."""
    clock = Clock(0.0)
    budget = TokenBudget({"p": Limits(10, 1.0)}, clock=clock)
    for second in range(5):
        clock.now = float(second)
        taken = await budget.reserve("p", "k", 1)
        assert budget.keys("p") == 1
        await taken.settle(1)
        assert budget.keys("p") == 1


async def test_keys_beyond_the_maximum_share_one_budget():
    """A flood of keys is limited rather than admitted, is said once, and no known key loses its count."""
    said = []
    budget = TokenBudget({"p": Limits(10)}, clock=Clock(), max_keys=3, on_overflow=said.append)
    for key in range(3):
        await (await budget.reserve("p", str(key), 6)).settle(6)
    shared = [await budget.reserve("p", f"new {key}", 6) for key in range(3)]
    assert [isinstance(taken, Refusal) for taken in shared] == [False, True, True]
    assert await shared[0].settle(2) == 2
    assert not isinstance(await budget.reserve("p", "another", 8), Refusal)
    assert await budget.reserve("p", "1", 5) == Refusal("spent", 60.0)
    assert (said, budget.keys("p")) == (["p"], 4)


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(st.tuples(STEPS, st.integers(1, 5)), min_size=20, max_size=100))
async def test_joined_settlements_count_too_long_rather_than_too_short(steps):
    """With more settlements than are kept apart nothing is admitted that the definition would refuse."""
    clock, model = Clock(0.0), Model(40, 10.0)
    budget = TokenBudget({"p": Limits(40, 10.0)}, clock=clock, max_entries=4)
    for step, tokens in steps:
        clock.now += step / 16
        taken = await budget.reserve("p", "k", tokens)
        if not isinstance(taken, Refusal):
            assert model.fits(tokens, clock.now)
            await taken.settle(tokens)
            model.open.append(tokens)
            model.settle(0, tokens, clock.now)
    clock.now += 10.0
    assert not isinstance(await budget.reserve("p", "k", 40), Refusal)


async def test_memory_of_keys_and_settlements_stays_under_the_stated_bound():
    """A key with one settled call takes at most 400 bytes; one with ever more calls at most 17 bytes a kept one."""
    clock = Clock(0.0)
    budget = TokenBudget({"p": Limits(10**9), "one": Limits(10**9)}, clock=clock)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for key in range(20_000):
            await (await budget.reserve("p", f"sub:{key}", 10)).settle(5)
        keys, _ = tracemalloc.get_traced_memory()
        for _ in range(100_000):
            clock.now += 0.0001
            await (await budget.reserve("one", "k", 10)).settle(5)
        entries, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (keys - before) / 20_000 <= 400
    assert entries - keys <= 8_192 * 17 + 1_000
