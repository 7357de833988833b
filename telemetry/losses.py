"""Counts what was lost or refused below the application, and says so at most once a minute."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from telemetry import names
from telemetry.logs import get_logger

if TYPE_CHECKING:
    from telemetry.metrics import Metrics

_log = get_logger(__name__)
_SAY_SECONDS = 60.0


class Lost(Protocol):
    """Is told of every loss."""

    def __call__(self, signal: str, reason: str, items: int, cause: str | None = None, /) -> None:
        """Count lost items; see `Losses.lost`."""


class Unsaid:
    """A count that may be said once a minute."""

    def __init__(self) -> None:
        self._unsaid = 0
        self._said_at = float("-inf")
        self._lock = threading.Lock()

    def add(self, count: int) -> int:
        """Add to the count; give all that was not said yet if now is the time to say it, else 0."""
        now = time.monotonic()
        with self._lock:
            self._unsaid += count
            if now - self._said_at < _SAY_SECONDS:
                return 0
            self._said_at = now
            unsaid, self._unsaid = self._unsaid, 0
            return unsaid


class Losses:
    """The losses of one application.

    Args:
        metrics: the registry.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._tallies = {(signal, reason): Unsaid() for signal in names.LOST_SIGNALS for reason in names.DROP_REASONS}
        self._invalid = Unsaid()

    def lost(self, signal: str, reason: str, items: int, cause: str | None = None, /) -> None:
        """Count lost items.

        Args:
            signal: one of `names.LOST_SIGNALS`.
            reason: one of `names.DROP_REASONS`.
            items: how many.
            cause: a class's name, a status or a slug that says more, for the log alone.
        """
        self._metrics.counter(names.DROPPED_ITEMS, signal, reason).inc(items)
        if signal != "log_lines" and (unsaid := self._tallies[signal, reason].add(items)):
            more = {} if cause is None else {"cause": cause}
            _log.warning(names.EXPORT_FAILED, signal=signal, reason=reason, items=unsaid, **more)

    def invalid_request(self) -> None:
        """Count a connection that the server refused."""
        self._metrics.counter(names.INVALID_REQUESTS).inc()
        if unsaid := self._invalid.add(1):
            _log.warning(names.HTTP_REQUEST_INVALID, count=unsaid)
