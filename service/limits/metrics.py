"""The part of the telemetry's metrics that limits need."""

from typing import Protocol

from telemetry import names


class _Counter(Protocol):
    def inc(self) -> None: ...


class _Gauge(Protocol):
    def set(self, value: float, /) -> None: ...


class _Histogram(Protocol):
    def observe(self, amount: float, /) -> None: ...


class Metrics(Protocol):
    """The part of the telemetry's metrics that a limit needs."""

    def counter(self, spec: names.Metric, *values: str) -> _Counter:
        """The counter of these label values."""

    def gauge(self, spec: names.Metric, *values: str) -> _Gauge:
        """The gauge of these label values."""

    def histogram(self, spec: names.Metric, *values: str) -> _Histogram:
        """The histogram of these label values."""
