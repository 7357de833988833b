"""One call's way through the providers: who is asked, how often, and who is asked next."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from service.limits import Clock
from service.llm.attempt import (
    BREAKER_OPEN,
    BUDGET,
    NOT_SHOWN,
    OWN_FAULT,
    REFUSED,
    TOO_LARGE,
    TRANSIENT,
    AttemptFailed,
    Provider,
)
from service.llm.breaker import Admitted, Breaker
from service.llm.errors import InvalidCall, Overspent, Refused, TooLong, Unavailable, Withheld
from service.llm.records import CallRecord

T = TypeVar("T")
Attempt = Callable[[Provider], Awaitable[T]]

RETRIES = 2
"""How often a provider is asked again before the next one is."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 4.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, and how often, a call tries.

    Attributes:
        clock: monotonic seconds.
        jitter: gives numbers from 0 to 1.
        ends: when nobody is asked any more, by the clock.
        slowest: seconds that one attempt may take at most.
        late: the reason of an attempt that took longer.
        retries: how often one provider is asked again.
    """

    clock: Clock
    jitter: Callable[[], float]
    ends: float
    slowest: float
    late: str
    retries: int = RETRIES


class Journey(Generic[T]):
    """Asks providers in their order until one answers.

    Args:
        attempt: asks one of them.
        record: is told of every decision.
        breakers: of the providers, by name.
        patience: of the call.
    """

    def __init__(
        self, attempt: Attempt[T], record: CallRecord, breakers: Mapping[str, Breaker], patience: Patience
    ) -> None:
        self._attempt = attempt
        self._record = record
        self._breakers = breakers
        self._patience = patience
        self._reasons: list[str] = []
        self._waits: list[float] = []
        self._overspent: list[Overspent] = []

    async def through(self, providers: Sequence[Provider]) -> T:
        """Give the first answer.

        Raises:
            InvalidCall: the call itself is at fault.
            Overspent: no budget allows it.
            Refused: nobody answered, and somebody declined to.
            Withheld: likewise, and somebody's answer held what must not leave.
            Unavailable: nobody answered.
        """
        for position, provider in enumerate(providers):
            try:
                return await self._ask(provider, len(providers) - position)
            except AttemptFailed as failed:
                self._reasons.append(failed.reason)
                if failed.retry_after is not None:
                    self._waits.append(failed.retry_after)
                reason = failed.reason
            except Overspent as overspent:
                self._record.noted(BUDGET)
                self._overspent.append(overspent)
                reason = BUDGET
            if position + 1 < len(providers):
                self._record.falling_over(providers[position + 1], reason)
        if self._overspent and not self._reasons:
            raise min(self._overspent, key=lambda each: each.retry_after)
        for reason in NOT_SHOWN.intersection(self._reasons):
            raise Refused if reason == REFUSED else Withheld
        raise Unavailable(min(self._waits, default=None), self._reasons)

    async def _ask(self, provider: Provider, waiting: int) -> T:
        """Ask one provider, and again while that may help.

        Args:
            provider: which one.
            waiting: how many there still are, this one included: each needs a share of the time.
        """
        breaker = self._breakers[provider.name]
        number = 0
        while True:
            admitted = breaker.admit()
            if admitted is None:
                self._record.noted(BREAKER_OPEN)
                raise AttemptFailed(BREAKER_OPEN, retry_after=breaker.rests_for())
            try:
                return await self._judged(
                    provider, breaker, admitted, min(self._share(waiting), self._patience.slowest)
                )
            except AttemptFailed as failed:
                self._record.noted(failed.reason)
                pause = self._pause(number, failed)
                tried = number >= self._patience.retries or breaker.is_open
                if tried or failed.reason not in TRANSIENT or pause >= self._share(waiting):
                    raise
                self._record.retrying(failed.reason, pause)
            await asyncio.sleep(pause)
            number += 1

    async def _judged(self, provider: Provider, breaker: Breaker, admitted: Admitted, seconds: float) -> T:
        """Make one attempt, and tell the breaker how it went."""
        try:
            answer = await self._timed(provider, seconds)
        except AttemptFailed as failed:
            if failed.reason in OWN_FAULT:
                breaker.succeeded()
                self._record.noted(failed.reason)
                raise (TooLong if failed.reason == TOO_LARGE else InvalidCall) from None
            if failed.reason in NOT_SHOWN:
                breaker.succeeded()
            else:
                breaker.failed(admitted, failed.retry_after)
            raise
        except BaseException:
            breaker.abandoned(admitted)
            raise
        breaker.succeeded()
        return answer

    async def _timed(self, provider: Provider, seconds: float) -> T:
        try:
            async with asyncio.timeout(seconds):
                return await self._attempt(provider)
        except TimeoutError:
            raise AttemptFailed(self._patience.late) from None

    def _share(self, waiting: int) -> float:
        """Give the seconds that each of those who wait may have."""
        return max(self._patience.ends - self._patience.clock(), 0.0) / waiting

    def _pause(self, number: int, failed: AttemptFailed) -> float:
        """Draw the pause before a provider is asked again: full jitter, and never before it said.

        See https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
        """
        longest: float = min(_FIRST_PAUSE * 2.0**number, _LONGEST_PAUSE)
        return max(longest * self._patience.jitter(), failed.retry_after or 0.0)
