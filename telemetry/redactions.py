"""Counts what the privacy policy did: what it hid, and what could not be sent because it could not be scrubbed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry import names
from telemetry.logs import get_logger
from telemetry.losses import Unsaid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telemetry.metrics import Metrics

_log = get_logger(__name__)


class Redactions:
    """The tally of one application's sinks.

    Args:
        metrics: the registry.
        rules: names of the policy's rules; each exists at 0 for each sink from the start.
    """

    def __init__(self, metrics: Metrics, rules: Iterable[str]) -> None:
        self._metrics = metrics
        self._unsaid = {sink: Unsaid() for sink in names.PII_SINKS}
        metrics.declare(names.PII_SCRUB_FAILURES, [(sink,) for sink in names.PII_SINKS])
        counted = [(rule, sink) for rule in rules for sink in names.PII_SINKS]
        metrics.declare(names.PII_REDACTIONS, counted)
        # Looked up once: client addresses are hidden with every request.
        self._count = {(rule, sink): metrics.counter(names.PII_REDACTIONS, rule, sink).inc for rule, sink in counted}

    def redacted(self, rule: str, sink: str) -> None:
        """Count a redaction.

        Args:
            rule: name of the rule, or `unscrubbable`.
            sink: one of `names.PII_SINKS`.
        """
        if (count := self._count.get((rule, sink))) is not None:
            count()

    def failed(self, sink: str) -> None:
        """Count an item that was not sent, and say so at most once a minute."""
        self._metrics.counter(names.PII_SCRUB_FAILURES, sink).inc()
        if unsaid := self._unsaid[sink].add(1):
            _log.error(names.SCRUB_FAILED, sink=sink, items=unsaid)
