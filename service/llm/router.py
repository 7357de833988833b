"""A language model that is several providers, asked in their order."""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from service.limits import Clock
from service.llm.answer import Answer, First
from service.llm.attempt import REFUSED, UNREAD, WITHHELD, AttemptFailed, Provider
from service.llm.breaker import Breaker
from service.llm.errors import LlmError, Withheld
from service.llm.journey import RETRIES, Journey, Patience
from service.llm.model import REFUSAL, Call, Completion, Usage
from service.llm.records import Budgets, CallRecord, Recorder
from service.llm.tokens import estimate_input, reserve


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a call may take; seconds.

    Attributes:
        first_token: until a streamed answer begins, at one provider.
        total: until the answer is complete, all attempts together.
    """

    first_token: float
    total: float


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

    async def complete(self, call: Call, shown: Callable[[Completion], Completion] = _as_it_is) -> Completion:
        """Answer a call.

        Args:
            call: what is asked.
            shown: gives the answer as it may be seen, or raises `Withheld`.

        Raises:
            LlmError: there is no answer.
        """
        with self._recorder.begin(call, stream=False) as record:
            patience = self._patience(self._deadlines.total, "timeout")
            journey = Journey(partial(self._whole, call, shown), record, self._breakers, patience)
            try:
                completion = await journey.through(self._providers)
            except LlmError as error:
                record.failed(error.kind, journey.usage)
                raise
            record.succeeded(completion)
            return completion

    def stream(self, call: Call) -> Answer:
        """Answer a call piece by piece; leaving the context ends the provider's side at once."""
        return Answer(partial(self._begin, call), self._recorder.begin(call, stream=True), self._deadlines.total)

    async def close(self) -> None:
        """Close all connections."""
        for provider in self._providers:
            await provider.close()

    async def _begin(self, call: Call, record: CallRecord, stack: AsyncExitStack) -> First:
        patience = self._patience(self._deadlines.first_token, "first_token_timeout")
        journey = Journey(partial(self._first, call, stack), record, self._breakers, patience)
        return await journey.through(self._providers)

    def _patience(self, slowest: float, late: str) -> Patience:
        ends = self._clock() + self._deadlines.total
        return Patience(self._clock, self._jitter, ends, slowest, late, self._retries)

    async def _whole(self, call: Call, shown: Callable[[Completion], Completion], provider: Provider) -> Completion:
        async with self._budgets.provider(provider.name, reserve=reserve(call)) as charge:
            charge.used(estimate_input(call))
            try:
                completion = await provider.complete(call)
            except AttemptFailed as failed:
                charge.used(_taken(call, failed.usage, failed.reason))
                raise
            charge.used(completion.usage.total)
            if completion.finish_reason == REFUSAL:
                raise AttemptFailed(REFUSED, usage=completion.usage)
            try:
                return shown(completion)
            except Withheld:
                raise AttemptFailed(WITHHELD, usage=completion.usage) from None

    async def _first(self, call: Call, stack: AsyncExitStack, provider: Provider) -> First:
        async with AsyncExitStack() as attempt:
            charge = await attempt.enter_async_context(self._budgets.provider(provider.name, reserve=reserve(call)))
            charge.used(estimate_input(call))
            reason = ""
            try:
                pieces = await provider.stream(call)
                # Last in, first out: what was used is known once it is closed.
                attempt.callback(lambda: charge.used(_taken(call, pieces.usage, reason)))
                attempt.push_async_callback(pieces.close)
                first = await anext(aiter(pieces))
            except AttemptFailed as failed:
                reason = failed.reason
                charge.used(_taken(call, failed.usage, reason))
                raise
            if isinstance(first, Completion) and first.finish_reason == REFUSAL:
                raise AttemptFailed(REFUSED, usage=first.usage)
            stack.push_async_exit(attempt.pop_all())
            return pieces, first


def _taken(call: Call, usage: Usage, reason: str) -> int:
    """Give the tokens that an attempt has taken: if nobody says, what was asked, unless it was refused unread."""
    return usage.total or (0 if reason in UNREAD else estimate_input(call))
