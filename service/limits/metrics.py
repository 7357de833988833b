"""Decisions as metrics, and the part of the telemetry's metrics that this needs."""

from collections.abc import Iterable
from typing import Protocol

from service.limits.limiter import Decision
from telemetry import names


class Counter(Protocol):
    """What only grows."""

    def inc(self, amount: float = 1, /) -> None:
        """Count."""


class Gauge(Protocol):
    """What goes up and down."""

    def set(self, value: float, /) -> None:
        """Set the value."""

    def inc(self, amount: float = 1, /) -> None:
        """Add to the value."""

    def dec(self, amount: float = 1, /) -> None:
        """Take from the value."""


class _Histogram(Protocol):
    def observe(self, amount: float, /) -> None: ...


class Metrics(Protocol):
    """The part of the telemetry's metrics that a limit needs."""

    def counter(self, spec: names.Metric, *values: str) -> Counter:
        """The counter of these label values."""

    def gauge(self, spec: names.Metric, *values: str) -> Gauge:
        """The gauge of these label values."""

    def histogram(self, spec: names.Metric, *values: str) -> _Histogram:
        """The histogram of these label values."""


class DecisionMetrics:
    """Counts decisions: requests by outcome, and the headroom at the decision.

    Args:
        metrics: where.
        policies: those that are counted here; their metrics exist at 0 from now on.
    """

    def __init__(self, metrics: Metrics, policies: Iterable[str]) -> None:
        # Children are looked up once: the look-up costs more than the decision.
        self._children = {
            policy: (
                metrics.counter(names.RATE_LIMIT_REQUESTS, policy, "allowed"),
                metrics.counter(names.RATE_LIMIT_REQUESTS, policy, "refused"),
                metrics.histogram(names.RATE_LIMIT_HEADROOM, policy),
            )
            for policy in policies
        }

    def count(self, policy: str, decision: Decision) -> None:
        """Count one decision under `policy`."""
        allowed, refused, headroom = self._children[policy]
        (allowed if decision.allowed else refused).inc()
        headroom.observe(decision.remaining / decision.limit)
