"""A language model that is several providers, asked in their order."""

import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from service.limits import Clock
from service.llm.answer import Answer, First
from service.llm.attempt import REFUSED, WITHHELD, AttemptFailed, Provider
from service.llm.bill import Bill, Nobody, Taken
from service.llm.breaker import Breaker
from service.llm.errors import LlmError, Withheld
from service.llm.journey import RETRIES, Journey, Patience
from service.llm.model import REFUSAL, Call, CallersCharge, Completion
from service.llm.records import Budgets, Recorder
from service.llm.tokens import reserve


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a call may take; seconds.

    Attributes:
        first_token: until a streamed answer begins, at one provider.
        total: until the answer is complete, all attempts together.
    """

    first_token: float
    total: float


_NOBODY = Nobody()


def _as_it_is(completion: Completion) -> Completion:
    return completion


class Router:
    """Asks providers in their order.

    Args:
        providers: in that order.
        deadlines: of each call.
        recorder: tells of each call.
        budgets: of each provider.
        retries: how often a provider is asked again before the next one is.
        clock: monotonic seconds.
        jitter: gives numbers from 0 to 1.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        deadlines: Deadlines,
        recorder: Recorder,
        budgets: Budgets,
        *,
        retries: int = RETRIES,
        clock: Clock = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._providers = providers
        self._deadlines = deadlines
        self._recorder = recorder
        self._budgets = budgets
        self._retries, self._clock, self._jitter = retries, clock, jitter
        self._breakers = {each.name: Breaker(clock, partial(recorder.breaker, each.name), jitter) for each in providers}

    async def complete(
        self, call: Call, charge: CallersCharge = _NOBODY, shown: Callable[[Completion], Completion] = _as_it_is
    ) -> Completion:
        """Answer a call.

        Args:
            call: what is asked.
            charge: the caller's.
            shown: gives the answer as it may be seen, or raises `Withheld`.

        Raises:
            LlmError: there is no answer.
        """
        with self._recorder.begin(call, stream=False) as record:
            patience = self._patience(self._deadlines.total, "timeout")
            attempt = partial(self._whole, Bill(call, record, charge), shown)
            try:
                return await Journey(attempt, record, self._breakers, patience).through(self._providers)
            except LlmError as error:
                record.failed(error.kind)
                raise

    def stream(self, call: Call, charge: CallersCharge = _NOBODY) -> Answer:
        """Answer a call piece by piece; leaving the context ends the provider's side at once.

        Args:
            call: what is asked.
            charge: the caller's.
        """
        record = self._recorder.begin(call, stream=True)
        return Answer(partial(self._begin, Bill(call, record, charge)), record, self._deadlines.total)

    async def close(self) -> None:
        """Close all connections."""
        for provider in self._providers:
            await provider.close()

    async def _begin(self, bill: Bill, stack: AsyncExitStack) -> First:
        patience = self._patience(self._deadlines.first_token, "first_token_timeout")
        journey = Journey(partial(self._first, bill, stack), bill.record, self._breakers, patience)
        return await journey.through(self._providers)

    def _patience(self, slowest: float, late: str) -> Patience:
        ends = self._clock() + self._deadlines.total
        return Patience(self._clock, self._jitter, ends, slowest, late, self._retries)

    @asynccontextmanager
    async def _paid(self, bill: Bill, provider: Provider) -> AsyncIterator[Taken]:
        await bill.afford()
        async with self._budgets.provider(provider.name, reserve=reserve(bill.call)) as charge:
            with bill.attempt(charge) as taken:
                yield taken

    async def _whole(self, bill: Bill, shown: Callable[[Completion], Completion], provider: Provider) -> Completion:
        async with self._paid(bill, provider) as taken:
            completion = await provider.complete(bill.call)
            taken.so_far(completion.usage)
            if completion.finish_reason == REFUSAL:
                raise AttemptFailed(REFUSED, usage=completion.usage)
            try:
                answer = shown(completion)
            except Withheld:
                raise AttemptFailed(WITHHELD, usage=completion.usage) from None
            bill.record.succeeded(answer)
            return answer

    async def _first(self, bill: Bill, stack: AsyncExitStack, provider: Provider) -> First:
        async with AsyncExitStack() as attempt:
            taken = await attempt.enter_async_context(self._paid(bill, provider))
            pieces = await provider.stream(bill.call)
            # Last in, first out: what was used is known once it is closed.
            attempt.callback(lambda: taken.so_far(pieces.usage))
            attempt.push_async_callback(pieces.close)
            first = await anext(aiter(pieces))
            if isinstance(first, Completion) and first.finish_reason == REFUSAL:
                raise AttemptFailed(REFUSED, usage=first.usage)
            stack.push_async_exit(attempt.pop_all())
            return pieces, first
