"""The Prometheus registry of one application."""

from __future__ import annotations

import platform
from bisect import bisect_left
from time import time
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.samples import Exemplar

from telemetry import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from telemetry.settings import TelemetrySettings
# OpenMetrics shows the unit that a name ends in.
_UNITS = ("seconds", "ratio")


class BisectHistogram(Histogram):
    """A histogram that looks its bucket up by bisection; the client's own walks them one by one."""

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Observe an amount.

        Args:
            amount: in the metric's unit.
            exemplar: labels of the trace behind it.
        """
        self._sum.inc(amount)
        bucket = self._buckets[bisect_left(self._upper_bounds, amount)]
        bucket.inc(1)
        if exemplar:
            bucket.set_exemplar(Exemplar(exemplar, amount, time()))


class ChildCounter(Counter):
    """A counter that is known to have its labels; the client's own asks itself each time."""

    def inc(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        """Count.

        Args:
            amount: not negative.
            exemplar: labels of the trace behind it.

        Raises:
            ValueError: the amount is negative.
        """
        if amount < 0 or exemplar:
            super().inc(amount, exemplar)
        else:
            self._value.inc(amount)


_KINDS: dict[str, Any] = {"counter": ChildCounter, "gauge": Gauge, "histogram": BisectHistogram}


class Metrics:
    """Makes and keeps metrics by their specifications in `names`.

    Args:
        settings: what is running, for `build_info`.
    """

    def __init__(self, settings: TelemetrySettings) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._families: dict[str, Any] = {}
        self._allowed: dict[str, set[str]] = {label: set(values) for label, values in names.LABEL_VALUES.items()}
        running = (settings.service_name, settings.service_version, platform.python_version())
        self.declare(names.BUILD_INFO, [running])
        self.gauge(names.BUILD_INFO, *running).set(1)

    def _child(self, spec: names.Metric, values: tuple[str, ...]) -> Any:  # noqa: ANN401
        family = self._families.get(spec.name)
        if family is None:
            options: dict[str, Any] = {"buckets": spec.buckets} if spec.buckets else {}
            options["unit"] = next((unit for unit in _UNITS if spec.name.endswith(f"_{unit}")), "")
            family = _KINDS[spec.kind](spec.name, spec.help, spec.labels, registry=self.registry, **options)
            self._families[spec.name] = family
        return family.labels(*self._closed(spec, values)) if spec.labels else family

    def _closed(self, spec: names.Metric, values: tuple[str, ...]) -> list[str]:
        """Give `other` for every value that nobody has declared: a label is no place for what a caller sends."""
        return [
            value if value in self._allowed.get(label, ()) else names.OTHER
            for label, value in zip(spec.labels, values, strict=True)
        ]

    def allow(self, label: str, *values: str) -> None:
        """Let a label have these values too.

        Args:
            label: its name, the same in every metric.
            values: from a set that is closed by the application's code or settings.
        """
        self._allowed.setdefault(label, set()).update(values)

    def counter(self, spec: names.Metric, *values: str) -> Counter:
        """Give the counter of these label values, in the specification's order."""
        counter: Counter = self._child(spec, values)
        return counter

    def gauge(self, spec: names.Metric, *values: str) -> Gauge:
        """Give the gauge of these label values, in the specification's order."""
        gauge: Gauge = self._child(spec, values)
        return gauge

    def histogram(self, spec: names.Metric, *values: str) -> Histogram:
        """Give the histogram of these label values, in the specification's order."""
        histogram: Histogram = self._child(spec, values)
        return histogram

    def read(self, spec: names.Metric, *values: str, by: Callable[[], float]) -> None:
        """Let a gauge read its value when it is scraped."""
        self.gauge(spec, *values).set_function(by)

    def declare(self, spec: names.Metric, combinations: Iterable[tuple[str, ...]]) -> None:
        """Make every combination of a bounded label set exist at 0, and allow its values."""
        for values in combinations:
            for label, value in zip(spec.labels, values, strict=True):
                self.allow(label, value)
            self._child(spec, values)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Give the exposition and its content type; OpenMetrics, with exemplars, where it is accepted.

        Args:
            accept: the request's `Accept` header.
        """
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # a version that is none: the client library compares it unseen
            encode, content_type = choose_encoder("")
        return encode(self.registry), content_type
