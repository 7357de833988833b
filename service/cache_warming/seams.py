"""The parts of the telemetry that the warming needs."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from telemetry import names


class Span(Protocol):
    """The part of a span that this needs."""

    def set_attributes(self, attributes: Mapping[str, Any], /) -> None:
        """Set them."""


class Spans(Protocol):
    """Where spans come from."""

    def root_span(self, name: str, links: Iterable[Any] = (), **attributes: Any) -> AbstractContextManager[Span]:  # noqa: ANN401
        """Open a trace of its own for the length of a `with`, whatever span is current, linked to other spans."""

    def span(self, name: str, **attributes: Any) -> AbstractContextManager[Span]:  # noqa: ANN401
        """Open a child of the current span for the length of a `with`."""


class _Counter(Protocol):
    def inc(self, amount: float = 1, /) -> None: ...


class Metrics(Protocol):
    """The part of the telemetry's metrics that this needs."""

    def counter(self, spec: names.Metric, *values: str) -> _Counter:
        """The counter of these label values."""

    def declare(self, spec: names.Metric, combinations: Iterable[tuple[str, ...]]) -> None:
        """Make each combination of label values exist at 0."""

    def read(self, spec: names.Metric, *values: str, by: Callable[[], float]) -> None:
        """Let a gauge read its value when it is scraped."""
