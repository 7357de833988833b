"""Limits for tests, a clock that they move, and the definition of a budget in its plainest form."""

from dataclasses import dataclass, field

import pytest

from service.limits import Concurrency, LlmLimits, TokenBudget
from service.llm.errors import Overspent
from telemetry import TelemetrySettings
from telemetry.metrics import Metrics


@dataclass(frozen=True)
class Limits:
    """A policy."""

    tokens: int | None = None
    window: float = 60.0
    concurrency: int | None = None


class Clock:
    """A clock that tests move."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class Model:
    """The definition, word for word: what was settled in (t - window, t] and what is open, in two lists."""

    tokens: int
    window: float
    settled: list[tuple[float, int, int]] = field(default_factory=list)
    open: list[int] = field(default_factory=list)

    def spent(self, now: float) -> int:
        return sum(used for t, used, _ in self.settled if now - self.window < t <= now)

    def counted(self, now: float) -> int:
        return self.spent(now) + sum(self.open)

    def overrun(self, now: float) -> int:
        """What calls in the window used above what they had reserved: the estimates' error."""
        return sum(max(0, used - reserved) for t, used, reserved in self.settled if now - self.window < t <= now)

    def fits(self, tokens: int, now: float) -> bool:
        return self.counted(now) + tokens <= self.tokens

    def wait(self, tokens: int, now: float) -> float | None:
        """Seconds until it fits if nothing else happens; None: never."""
        moments = sorted({now} | {t + self.window for t, _, _ in self.settled if t + self.window > now})
        return next((moment - now for moment in moments if self.fits(tokens, moment)), None)

    def settle(self, index: int, used: int, now: float) -> None:
        self.settled.append((now, used, self.open.pop(index)))


POLICIES = {"llm": Limits(tokens=100, window=60.0, concurrency=2), "questions": Limits()}
PROVIDERS = {"first": Limits(tokens=150, window=60.0), "second": Limits()}


class Built:
    """Limits over parts that can be looked into."""

    def __init__(self, policies=POLICIES, providers=PROVIDERS) -> None:
        self.clock = Clock()
        self.metrics = Metrics(TelemetrySettings(service_name="test"))
        self.metrics.allow("policy", *policies)
        self.metrics.allow("gen_ai_provider_name", *providers)
        self.slots = Concurrency(policies)
        self.tokens = TokenBudget(policies, clock=self.clock)
        self.providers = TokenBudget(providers, clock=self.clock)
        self.names = {"policies": tuple(policies), "provider_names": tuple(providers)}
        self.limits = self.over()

    def over(self, **parts):
        """Limits over other parts."""
        parts = {"slots": self.slots, "tokens": self.tokens, "providers": self.providers, **parts}
        return LlmLimits(**parts, **self.names, metrics=self.metrics)

    def admitted(self, reserve, key="k", policy="llm"):
        """A call of `k` under `llm`, if nothing else is said."""
        return self.limits.admitted(policy, key, reserve=reserve)

    def metric(self, name, **labels):
        """A metric's value."""
        return self.metrics.registry.get_sample_value(name, labels)

    async def refusal(self, reserve, **given):
        """The limit and the wait that a call is refused with."""
        with pytest.raises(Overspent) as refused:
            async with self.admitted(reserve, **given):
                pytest.fail("it was admitted")
        return refused.value.limit, refused.value.retry_after
