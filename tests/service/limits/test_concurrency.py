"""Slots: taken, refused, freed."""

import asyncio
from collections import Counter
from contextlib import nullcontext
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.limits import Concurrency
from tests.service.limits.budgets import Limits

POLICIES = {"one": Limits(concurrency=1), "few": Limits(concurrency=3), "free": Limits(concurrency=None)}
OPERATIONS = st.lists(
    st.tuples(st.sampled_from(sorted(POLICIES)), st.sampled_from("abc"), st.none() | st.integers(0, 9)), max_size=100
)


@settings(max_examples=200, deadline=None)
@given(operations=OPERATIONS)
async def test_every_decision_is_the_models(operations):
    """A slot is given exactly if the key holds fewer than the limit; freed ones are free at once, and once."""
    slots, held, freed = Concurrency(POLICIES), [], []
    for policy, key, release in operations:
        count = Counter((p, k) for p, k, _ in held)
        if release is None:
            lease = await slots.acquire(policy, key)
            limit = POLICIES[policy].concurrency
            assert (lease is not None) is (limit is None or count[policy, key] < limit)
            if lease is not None:
                held.append((policy, key, lease))
        elif held:
            freed.append(held.pop(release % len(held))[2])
            for lease in freed:
                lease.release()
        for name in POLICIES:
            assert slots.in_use(name) == sum(p == name for p, _, _ in held)
            assert slots.keys(name) == len({k for p, k, _ in held if p == name})


@pytest.mark.parametrize("error", [None, ValueError, TimeoutError, asyncio.CancelledError, GeneratorExit])
async def test_leaving_the_context_frees_however_it_is_left(error):
    """A lease is free after its context, and its key takes no memory."""
    slots = Concurrency(POLICIES)

    async def call():
        async with await slots.acquire("one", "k"):
            assert await slots.acquire("one", "k") is None
            if error is not None:
                raise error

    with nullcontext() if error is None else pytest.raises(error):
        await call()
    assert (slots.in_use("one"), slots.keys("one")) == (0, 0)
    assert await slots.acquire("one", "k") is not None


async def test_keys_and_policies_do_not_share_slots():
    """One key's slots, or one policy's, never count against another's."""
    slots = Concurrency(POLICIES)
    assert [await slots.acquire("one", key) is not None for key in ("a", "b", "a")] == [True, True, False]
    assert await slots.acquire("few", "a") is not None


async def test_never_more_at_once_than_the_limit():
    """However tasks interleave, no key has more running than its limit, and all of them get their turn in the end."""
    slots, random = Concurrency(POLICIES), Random(1)
    running, most, refused = Counter(), Counter(), 0

    async def call(key):
        nonlocal refused
        while (lease := await slots.acquire("few", key)) is None:
            refused += 1
            await asyncio.sleep(0)
        async with lease:
            running[key] += 1
            most[key] = max(most[key], running[key])
            for _ in range(random.randrange(5)):
                await asyncio.sleep(0)
            running[key] -= 1

    await asyncio.gather(*(call(random.choice("ab")) for _ in range(300)))
    assert most == {"a": 3, "b": 3}
    assert refused > 0
    assert slots.keys("few") == 0


async def test_an_unknown_policy_is_an_error():
    """A policy that nobody configured is no silent exemption."""
    with pytest.raises(KeyError):
        await Concurrency(POLICIES).acquire("none", "k")
