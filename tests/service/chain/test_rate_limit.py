"""The rate limit layer: who is limited by what, and what the answer says."""

import asyncio

import pytest

from tests.service.chain.chain import Chain, Clock, token

LIMIT = 5


async def test_every_limited_response_announces_its_state():
    """`RateLimit` and `RateLimit-Policy` (draft 11) are on every answer of a limited route, 404 and 405 too."""
    chain = Chain()
    answers = [
        await chain("GET", "/open"),
        await chain("GET", "/no/such", bearer=token()),
        await chain("DELETE", "/api/items", bearer=token()),
    ]
    assert [answer.status for answer in answers] == [200, 404, 405]
    for answer in answers:
        assert answer.header("ratelimit-policy") == '"default";q=5;w=60'
    assert [answer.header("ratelimit") for answer in answers] == [
        '"default";r=4;t=60',
        '"default";r=4;t=60',
        '"default";r=3;t=60',
    ]
    assert all(answer.record.rate_limit == "allowed" for answer in answers)


async def test_over_the_limit_the_answer_is_429():
    """429 problem+json with `Retry-After`; waiting that long is enough, a second less is not."""
    clock = Clock()
    chain = Chain(clock=clock)
    for _ in range(LIMIT):
        assert (await chain("GET", "/open")).status == 200
    clock.now += 12.5
    answer = await chain("GET", "/open")
    assert (answer.status, answer.header("retry-after")) == (429, "48")
    assert answer.header("content-type") == "application/problem+json"
    assert answer.header("ratelimit") == '"default";r=0;t=48'
    assert [answer.json()[member] for member in ("policy", "limit")] == ["default", "requests"]
    assert answer.record.rejection == ("rate_limit", "refused")
    assert answer.record.refused_by == ("default", "requests")
    assert answer.record.rate_limit == "refused"
    clock.now += 47
    assert (await chain("GET", "/open")).status == 429
    clock.now += 1
    assert (await chain("GET", "/open")).status == 200


async def test_whoever_is_refused_lets_others_go_first():
    """A refusal comes after many turns of the event loop, which whoever waits for the database needs."""
    chain = Chain()
    for _ in range(LIMIT):
        await chain("GET", "/open")

    async def work():
        for _ in range(30):
            await asyncio.sleep(0)

    working = asyncio.create_task(work())
    assert (await chain("GET", "/open")).status == 429
    assert working.done()


async def test_the_principal_is_limited_wherever_it_calls_from():
    """With a token the key is the principal, not the address."""
    chain = Chain()
    for i in range(2):
        await chain("GET", "/api/llm", bearer=token(), client=f"192.0.2.{i}")
    assert (await chain("GET", "/api/llm", bearer=token(), client="192.0.2.9")).status == 429
    assert (await chain("GET", "/api/llm", bearer=token(sub="grace"), client="192.0.2.9")).status == 200


async def test_a_subject_that_looks_like_an_address_is_none():
    """A principal cannot use up an address's limit by its name."""
    chain = Chain()
    for _ in range(LIMIT):
        await chain("GET", "/api/inner/me/a", bearer=token(sub="192.0.2.1"), client="192.0.2.7")
    assert (await chain("GET", "/open", client="192.0.2.1")).header("ratelimit") == '"default";r=4;t=60'


async def test_policies_count_apart():
    """What was used of one policy takes nothing from another; a mounted route has its own (pains 6)."""
    chain = Chain()
    for path in ("/api/llm", "/sub/deep/x"):
        await chain("GET", path, bearer=token())
    assert (await chain("GET", "/sub/deep/x", bearer=token())).status == 429
    assert (await chain("GET", "/api/inner/me/a", bearer=token())).status == 200


async def test_one_customers_ipv6_addresses_are_one_client():
    """A /64 is one key, or its owner would have 2^64 limits."""
    chain = Chain()
    for i in range(LIMIT):
        await chain("GET", "/open", client=f"2001:db8::{i + 1:x}")
    assert (await chain("GET", "/open", client="2001:db8::ffff")).status == 429
    assert (await chain("GET", "/open", client="2001:db8:0:1::1")).status == 200


async def test_probes_are_exempt():
    """A probe is never refused, and says nothing of limits."""
    chain = Chain()
    for _ in range(LIMIT * 3):
        answer = await chain("GET", "/healthz")
        assert (answer.status, answer.header("ratelimit")) == (200, None)
    assert answer.record.rate_limit is None


async def test_refusals_read_no_body():
    """A request over its limit costs no body."""
    chain = Chain()
    for _ in range(LIMIT):
        await chain("GET", "/open")

    async def receive() -> dict[str, object]:
        pytest.fail("the body was read")

    answer = await chain("POST", "/api/form", ("content-length", "10"), receive=receive)
    assert (answer.status, answer.header("connection")) == (429, "close")


async def test_decisions_are_counted():
    """Requests by policy and outcome, and headroom at the decision."""
    chain = Chain()
    for _ in range(LIMIT + 1):
        await chain("GET", "/open")
    seen = chain.metrics.values
    assert len(seen["rate_limit_requests_total", "default", "allowed"]) == LIMIT
    assert len(seen["rate_limit_requests_total", "default", "refused"]) == 1
    assert seen["rate_limit_headroom_ratio", "default"] == [0.8, 0.6, 0.4, 0.2, 0.0, 0.0]
    assert seen["rate_limit_requests_total", "llm", "allowed"] == []
