"""What a call of a language model has to pass: its caller's slots and tokens, and its provider's budget."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from service.limits.limiter import Budget, Refusal, Reservation, Slots
from service.limits.llm_metrics import CONCURRENCY, TOKENS, TokenMeter, provider_meter, slot_meter, token_meter
from service.limits.metrics import Metrics
from service.llm.errors import InvalidCall, Overspent
from telemetry import get_logger, names

PROVIDER_BUDGET = "provider_budget"
OPEN_SECONDS = 2.0
"""When to come back if other calls have to end first: nobody knows when they do, and one of several soon will."""

log = get_logger(__name__)


class NeverFits(InvalidCall):
    """The call reserves more tokens than its caller's whole budget: no wait will do, only a smaller call."""


class Admission:
    """One admitted call: says what it used. Leaving its context settles that, whatever happened.

    A call that ends well and has not said what it used is charged with all it reserved, so that
    forgetting is not free; one that failed or was cancelled, with nothing. So whoever has sent a call
    says its input's estimate at once: a provider charges for it whatever becomes of the answer.

    Args:
        reservation: to settle.
        tokens: its size.
        meter: where it is counted.
    """

    __slots__ = ("_meter", "_reservations", "_tokens", "_used")

    def __init__(self, reservation: Reservation, tokens: int, meter: TokenMeter) -> None:
        self._reservations = [reservation]
        self._tokens = tokens
        self._meter = meter
        self._used: int | None = None

    def used(self, tokens: int) -> None:
        """Say what the call has used in all so far; the last word counts."""
        self._used = tokens

    async def __aenter__(self) -> Self:
        self._meter.allowed.inc()
        self._meter.held.inc(self._tokens)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._meter.held.dec(self._tokens)
        used = self._used
        if used is None:
            used = self._tokens if kind is None else 0
        first, *more = self._reservations
        self._meter.spent.inc(await first.settle(used))
        for reservation in more:
            await reservation.settle(0)


class CallersAdmission(Admission):
    """One admitted call of a caller, which may need more than it was admitted with.

    Args:
        reservation: to settle.
        tokens: its size.
        meter: where it is counted.
        more: reserves more, or raises `Overspent`.
    """

    __slots__ = ("_more",)

    def __init__(
        self, reservation: Reservation, tokens: int, meter: TokenMeter, more: Callable[[int], Awaitable[Reservation]]
    ) -> None:
        super().__init__(reservation, tokens, meter)
        self._more = more

    async def afford(self, tokens: int) -> None:
        """See that so many tokens are set aside in all.

        Raises:
            Overspent: the caller's limit does not allow it now, or ever.
        """
        missing = tokens - self._tokens
        if missing > 0:
            self._reservations.append(await self._more(missing))
            self._tokens += missing
            self._meter.held.inc(missing)


class LlmLimits:
    """Admits calls of language models.

    Args:
        slots: what runs at the same time, by policy and caller.
        tokens: callers' tokens, by policy and caller.
        providers: all callers' tokens, by provider.
        policies: names of the policies that `slots` and `tokens` know.
        provider_names: those that `providers` knows.
        metrics: where it is told; all that is bounded exists at 0 from now on.
    """

    def __init__(
        self,
        *,
        slots: Slots,
        tokens: Budget,
        providers: Budget,
        policies: Iterable[str],
        provider_names: Iterable[str],
        metrics: Metrics,
    ) -> None:
        policies = tuple(policies)
        self._slots = slots
        self._tokens = tokens
        self._providers = providers
        self._slot_meters = {policy: slot_meter(metrics, policy) for policy in policies}
        self._token_meters = {policy: token_meter(metrics, policy) for policy in policies}
        self._provider_meters = {provider: provider_meter(metrics, provider) for provider in provider_names}

    @asynccontextmanager
    async def admitted(self, policy: str, key: str, *, reserve: int) -> AsyncIterator[CallersAdmission]:
        """Hold a slot and `reserve` tokens of `key` under `policy` while the context is open.

        Args:
            policy: the route's.
            key: the caller's.
            reserve: tokens that the call may use: its input's estimate and the most it may answer with.

        Raises:
            Overspent: a limit, `concurrency` or `tokens`, does not allow it now; nothing is taken.
            NeverFits: `reserve` is more than the whole budget; nothing is taken.
            KeyError: no such policy.
        """
        meter = self._slot_meters[policy]
        slot = await self._slots.acquire(policy, key)
        if slot is None:
            meter.refused.inc()
            log.info(names.LLM_LIMIT_REFUSED, policy=policy, limit=CONCURRENCY, reason="open")
            raise Overspent(CONCURRENCY, OPEN_SECONDS)
        async with slot:
            meter.allowed.inc()
            meter.held.inc()
            try:
                async with await self._reserve(policy, key, reserve) as admission:
                    yield admission
            finally:
                meter.held.dec()

    @asynccontextmanager
    async def provider(self, name: str, *, reserve: int) -> AsyncIterator[Admission]:
        """Hold `reserve` tokens of a provider's budget while the context is open.

        Raises:
            Overspent: the budget does not allow it now, or ever: another provider's may.
            KeyError: no such provider.
        """
        meter = self._provider_meters[name]
        taken = await self._providers.reserve(name, name, reserve)
        if isinstance(taken, Refusal):
            meter.refused.inc()
            log.info(names.LLM_PROVIDER_BUDGET_REFUSED, provider=name, reason=taken.reason)
            raise Overspent(PROVIDER_BUDGET, _wait(taken))
        async with Admission(taken, reserve, meter) as admission:
            yield admission

    async def _reserve(self, policy: str, key: str, tokens: int) -> CallersAdmission:
        async def more(missing: int) -> Reservation:
            taken = await self._tokens.reserve(policy, key, missing)
            if isinstance(taken, Refusal):
                raise self._refused(policy, taken)
            return taken

        taken = await self._tokens.reserve(policy, key, tokens)
        if isinstance(taken, Refusal):
            refused = self._refused(policy, taken)
            raise NeverFits if taken.reason == "too_large" else refused
        return CallersAdmission(taken, tokens, self._token_meters[policy], more)

    def _refused(self, policy: str, refusal: Refusal) -> Overspent:
        self._token_meters[policy].refused.inc()
        log.info(names.LLM_LIMIT_REFUSED, policy=policy, limit=TOKENS, reason=refusal.reason)
        return Overspent(TOKENS, _wait(refusal))


def _wait(refusal: Refusal) -> float:
    return max(refusal.retry_after, OPEN_SECONDS) if refusal.reason == "open" else refusal.retry_after
