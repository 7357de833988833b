"""The limiters of a single process, telling when they have more keys than they keep apart."""

from collections.abc import Callable, Mapping
from typing import Protocol

from service.limits.backend import Deciding
from service.limits.concurrency import Concurrency
from service.limits.limiter import Policy, SlotPolicy, TokenPolicy
from service.limits.llm_limits import LlmLimits
from service.limits.metrics import Metrics
from service.limits.sliding_window import SlidingWindow
from service.limits.token_budget import TokenBudget
from telemetry import get_logger, names

log = get_logger(__name__)


class LlmPolicy(TokenPolicy, SlotPolicy, Protocol):
    """The part of a policy that limiting calls of a language model needs."""


class MemoryBackend:
    """Keeps the counts of requests in this process, for itself.

    Args:
        policies: limit and window by policy name.
        metrics: gives where it is told; called from the start on.
    """

    def __init__(self, policies: Mapping[str, Policy], metrics: Callable[[], Metrics]) -> None:
        self.limiter = SlidingWindow(policies, on_overflow=overflowed(metrics))
        self._metrics = metrics

    async def start(self) -> None:
        """Say that it answers, as it always will."""
        self._metrics().counter(names.RATE_LIMIT_BACKEND_ERRORS)
        self._metrics().gauge(names.RATE_LIMIT_BACKEND_UP, "memory").set(1)

    async def close(self) -> None:
        """Nothing is open."""

    def deciding(self) -> Deciding:
        """Say who decides: this process."""
        return Deciding("memory")


def in_memory_llm_limits(
    policies: Mapping[str, LlmPolicy], providers: Mapping[str, TokenPolicy], metrics: Metrics
) -> LlmLimits:
    """Make the limits of calls of language models.

    Args:
        policies: tokens, window and concurrency by policy name.
        providers: tokens and window by provider, of every provider that may be called.
        metrics: where it is told; it already allows these policies and providers as label values.
    """
    return LlmLimits(
        slots=Concurrency(policies),
        tokens=TokenBudget(policies, on_overflow=overflowed(lambda: metrics)),
        providers=TokenBudget(providers),
        policies=policies,
        provider_names=providers,
        metrics=metrics,
    )


def overflowed(metrics: Callable[[], Metrics]) -> Callable[[str], None]:
    """Make what tells that a policy, which it is called with, has more keys than are kept apart."""

    def tell(policy: str) -> None:
        log.warning(names.RATE_LIMIT_OVERFLOWED, policy=policy)
        metrics().counter(names.RATE_LIMIT_OVERFLOWS, policy).inc()

    return tell
