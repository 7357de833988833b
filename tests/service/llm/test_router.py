"""A call's way through the providers."""

import asyncio

import pytest

from service.llm.attempt import LASTING, OWN_FAULT, TRANSIENT, AttemptFailed
from service.llm.breaker import FAILURES
from service.llm.errors import Interrupted, InvalidCall, Refused, TooLong, Unavailable
from service.llm.journey import RETRIES
from service.llm.model import Completion
from service.llm.router import Deadlines, Router
from service.llm.tokens import estimate_input
from tests.patience import PATIENCE
from tests.service.llm.scripted import CALL, DROP, STALL, USAGE, Charge, Notes, Scripted, completion

FAILING = sorted(TRANSIENT | LASTING)


@pytest.fixture
def notes():
    """What the router told."""
    return Notes()


def routed(notes: Notes, *providers: Scripted, first_token=PATIENCE, total=PATIENCE, **options) -> Router:
    """A router without pauses."""
    return Router(providers, Deadlines(first_token, total), notes, notes, jitter=lambda: 0.0, **options)


async def streamed(router: Router) -> list[str | Completion]:
    """All items of a streamed answer."""
    async with router.stream(CALL) as answer:
        return [item async for item in answer]


@pytest.mark.parametrize("reason", FAILING)
async def test_the_second_answers_where_the_first_fails(notes, reason):
    """However the first one fails, one answer comes, from the second, and the fall-over is told with its reason."""
    first, second = Scripted("first", AttemptFailed(reason)), Scripted("second")
    assert (await routed(notes, first, second).complete(CALL)).provider == "second"
    assert (first.asked, second.asked) == (RETRIES + 1 if reason in TRANSIENT else 1, 1)
    assert notes.of("falling_over") == [(second, reason)]
    assert [each.provider for (each,) in notes.of("succeeded")] == ["second"]


@pytest.mark.parametrize("reason", FAILING)
async def test_a_stream_begins_at_the_second_where_the_first_fails(notes, reason):
    """The same for a streamed answer, while there is no first piece."""
    first, second = Scripted("first", AttemptFailed(reason)), Scripted("second")
    assert await streamed(routed(notes, first, second)) == ["Hel", "lo!", completion("second")]
    assert notes.of("first_token") == [()]


@pytest.mark.parametrize(("reason", "error"), [("invalid", InvalidCall), ("too_large", TooLong)])
async def test_nobody_else_is_asked_what_is_the_call_s_own_fault(notes, reason, error):
    """A 400 or a 413 is said at once."""
    assert {"invalid", "too_large"} == OWN_FAULT
    first, second = Scripted("first", AttemptFailed(reason)), Scripted("second")
    with pytest.raises(error) as raised:
        await routed(notes, first, second).complete(CALL)
    assert (type(raised.value), first.asked, second.asked) == (error, 1, 0)
    assert notes.of("failed") == [(error.kind,)]


async def test_an_overloaded_provider_is_asked_again(notes):
    """A transient failure is tried again at the same provider, each time told with its pause."""
    provider = Scripted("only", AttemptFailed("overloaded"), AttemptFailed("server_error"), "ok")
    assert (await routed(notes, provider).complete(CALL)).provider == "only"
    assert notes.of("retrying") == [("overloaded", 0.0), ("server_error", 0.0)]


async def test_a_provider_is_left_alone_as_long_as_it_asked(notes):
    """The pause is never shorter than `retry-after`."""
    provider = Scripted("only", AttemptFailed("rate_limited", retry_after=0.05), "ok")
    await routed(notes, provider).complete(CALL)
    assert notes.of("retrying") == [("rate_limited", 0.05)]


async def test_a_wait_that_outlasts_the_deadline_is_not_waited(notes):
    """With `retry-after` beyond what is left, the caller is told when to come back, at once."""
    provider = Scripted("only", AttemptFailed("rate_limited", retry_after=3600.0))
    with pytest.raises(Unavailable) as raised:
        await asyncio.wait_for(routed(notes, provider).complete(CALL), PATIENCE)
    assert (raised.value.retry_after, raised.value.reasons, provider.asked) == (3600.0, ("rate_limited",), 1)


async def test_a_stalled_provider_takes_its_share_of_the_time_alone(notes):
    """The second one answers within the deadline although the first one never does."""
    first, second = Scripted("first", STALL), Scripted("second")
    async with asyncio.timeout(PATIENCE):
        assert (await routed(notes, first, second, total=0.4).complete(CALL)).provider == "second"
    assert notes.of("falling_over") == [(second, "timeout")]


async def test_a_stream_without_a_first_token_is_given_up(notes):
    """The deadline of the first token has a reason of its own."""
    with pytest.raises(Unavailable) as raised:
        await streamed(routed(notes, Scripted("only", STALL), first_token=0.05))
    assert raised.value.reasons == ("first_token_timeout",)


async def test_nothing_is_repeated_after_the_first_token(notes):
    """What breaks off after its first piece is not begun again, there or elsewhere."""
    first, second = Scripted("first", ("Hel", DROP)), Scripted("second")
    with pytest.raises(Interrupted):
        await streamed(routed(notes, first, second))
    assert (first.asked, second.asked, first.closed) == (1, 0, 1)
    assert notes.of("failed")[0][0] == "interrupted"
    assert notes.of("noted") == [("dropped",)]


async def test_a_stream_ends_with_its_time(notes):
    """An answer that stops in the middle is interrupted when the total deadline is over."""
    provider = Scripted("only", ("Hel", STALL))
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(Interrupted):
            await streamed(routed(notes, provider, total=0.2))
    assert (provider.closed, notes.open, notes.charged) == (1, 0, [11])
    assert notes.of("failed")[0][0] == "interrupted"


async def test_a_reader_that_leaves_ends_the_provider_s_side(notes):
    """A stream that is left, or whose task is cancelled, is closed at once, charged for what came, and told as left."""
    provider = Scripted("only", ("Hel", STALL))
    router = routed(notes, provider)
    async with router.stream(CALL) as answer:
        assert await anext(answer) == "Hel"
    task = asyncio.create_task(streamed(router))
    while provider.asked < 2:  # noqa: ASYNC110 - a provider has no event for being asked
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (provider.closed, notes.open) == (2, 0)
    assert notes.charged == [11, 11]
    assert len(notes.of("left")) == 2


async def test_a_refusal_is_no_answer(notes):
    """A model that declines is said to have declined, streamed or not."""
    declined = completion("only", "", "refusal")
    with pytest.raises(Refused):
        await routed(notes, Scripted("only", declined)).complete(CALL)


async def test_each_attempt_is_charged_with_what_it_took(notes):
    """A failed attempt costs what it used, an answered one its usage; nothing stays reserved."""
    provider, caller = Scripted("only", AttemptFailed("dropped", usage=USAGE), "ok"), Charge()
    await routed(notes, provider).complete(CALL, caller)
    assert (notes.charged, notes.open, caller.tokens) == ([15, 15], 0, 30)
    assert notes.of("took") == [(USAGE, False), (USAGE, False)]


async def test_a_caller_pays_for_all_attempts(notes):
    """Streamed too: what is not known is the input's estimate, what was refused unread is nothing."""
    asked = estimate_input(CALL)
    failures = [AttemptFailed(reason) for reason in ("dropped", "overloaded", "malformed")]
    provider, other, caller = Scripted("only", *failures), Scripted("other"), Charge()
    async with routed(notes, provider, other).stream(CALL, caller) as answer:
        assert [item async for item in answer][-1].provider == "other"
    assert (notes.charged, caller.tokens) == ([asked, 0, asked, 15], 2 * asked + 15)


@pytest.mark.parametrize("reason", ["connect", "rate_limited", "unauthorized"])
async def test_who_is_not_served_pays_nothing(notes, reason):
    """Neither for attempts that nobody read, nor where nobody is asked any more."""
    router = routed(notes, Scripted("only", AttemptFailed(reason)))
    for _ in range(FAILURES + 1):
        caller = Charge()
        with pytest.raises(Unavailable):
            await router.complete(CALL, caller)
        assert caller.tokens == 0


async def test_a_provider_that_keeps_failing_is_passed_over(notes):
    """After so many failures in a row nobody asks it, until its rest is over and one call may."""
    now = [0.0]
    first, second = Scripted("first", AttemptFailed("unauthorized")), Scripted("second")
    router = routed(notes, first, second, clock=lambda: now[0])
    for _ in range(FAILURES + 3):
        await router.complete(CALL)
    assert first.asked == FAILURES
    assert notes.of("breaker") == [("first", True)]
    now[0] = 100.0
    await asyncio.gather(router.complete(CALL), router.complete(CALL))
    assert first.asked == FAILURES + 1


async def test_a_provider_that_is_back_is_asked_as_before(notes):
    """One answer closes the breaker."""
    now = [0.0]
    failures = [AttemptFailed("unauthorized")] * FAILURES
    first, second = Scripted("first", *failures, "ok"), Scripted("second")
    router = routed(notes, first, second, clock=lambda: now[0])
    for _ in range(FAILURES):
        await router.complete(CALL)
    now[0] = 100.0
    assert [(await router.complete(CALL)).provider for _ in range(3)] == ["first"] * 3
    assert notes.of("breaker") == [("first", True), ("first", False)]


async def test_a_failure_that_opens_the_breaker_is_not_waited_for(notes):
    """The one that is left alone is not asked again after a pause: the next one is, at once."""
    first, second = Scripted("first", AttemptFailed("overloaded", retry_after=60.0)), Scripted("second")
    router = routed(notes, first, second, total=600.0)
    router._breakers["first"]._failures = FAILURES - 1
    async with asyncio.timeout(PATIENCE):
        assert (await router.complete(CALL)).provider == "second"
    assert (first.asked, notes.of("retrying")) == (1, [])
