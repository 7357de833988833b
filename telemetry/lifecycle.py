"""Telemetry of one application: made with it, started before it, flushed after it, each within a deadline."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from telemetry import names
from telemetry.accounts import Accounts
from telemetry.crashes import Crashes
from telemetry.database import DatabaseWatch
from telemetry.exceptions import MAX_TEXT_CHARS
from telemetry.export import QUEUE_CAPACITY, LogPipeline, SpanPipeline
from telemetry.genai import GenAI
from telemetry.log_records import LogRecords
from telemetry.logs import Logs, get_logger
from telemetry.losses import Losses
from telemetry.metrics import Metrics
from telemetry.pii import Sink, load
from telemetry.previews import NoPreviews, Previews
from telemetry.redactions import Redactions
from telemetry.resource import resource
from telemetry.sentry import Sentry
from telemetry.tracing import Tracing, current_ids
from telemetry.writer import CAPACITY_LINES, LineWriter, standard_output

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from contextlib import AbstractContextManager

    from sqlalchemy.ext.asyncio import AsyncEngine

    from telemetry.settings import TelemetrySettings
    from telemetry.tracing import SpanIds

_log = get_logger(__name__)
FLUSH_SECONDS = 1.0
WRITE_OUT_SECONDS = 0.5
_LAG_INTERVAL_SECONDS = 0.25


class Telemetry:
    """The telemetry of one application.

    Nothing runs and nothing is global before `start`; the threads are made there, after any fork.

    Args:
        settings: what is told of the service, and where telemetry goes.

    Attributes:
        metrics: the Prometheus registry; `counter`, `gauge` and `histogram` give its metrics.
        scrubber: the privacy policy, applied to texts.
        genai: spans and metrics of language models.
        sinks: the ways out of the process, by their names in the metrics.
    """

    def __init__(self, settings: TelemetrySettings) -> None:
        self.settings = settings
        self.metrics = Metrics(settings)
        self.losses = Losses(self.metrics)
        self.scrubber = load(*settings.policy_files, pseudonym_key=settings.pseudonym_key)
        self._redactions = redactions = Redactions(self.metrics, self.scrubber.rule_names)
        cut = {"traces": MAX_TEXT_CHARS, "otlp_logs": MAX_TEXT_CHARS}
        self.sinks = {name: Sink(name, self.scrubber, redactions, cut.get(name)) for name in names.PII_SINKS}
        self.spans = SpanPipeline(settings, self.losses.lost, self.sinks["traces"])
        self.log_records = LogPipeline(settings, self.losses.lost, self.sinks["otlp_logs"])
        described = resource(settings, self.scrubber)
        self.tracing = Tracing(settings, described, self.spans)
        self._records = LogRecords(described, self.log_records.send, self.sinks["otlp_logs"].refuse)
        self._writer: LineWriter | None = None
        self.logs = Logs(
            settings,
            write=self._write,
            current_ids=current_ids,
            forward=self._records.emit if settings.otlp_endpoint is not None else None,
            sink=self.sinks["logs"],
        )
        self.sentry = Sentry(settings, self.sinks["sentry"], self.losses.lost)
        self._crashes = Crashes(self.sentry.capture, self._write_out)
        self._database = DatabaseWatch(self.metrics, self.tracing.provider)
        previews = Previews(self.scrubber, redactions) if settings.genai_content else NoPreviews()
        self.genai = GenAI(self.tracing, self.metrics, previews)
        self.accounts = Accounts(self.metrics, self.logs, self.tracing, self.sentry, self._hide_principal)
        self._lag: asyncio.Task[None] | None = None
        self._declare()

    def _declare(self) -> None:
        metrics = self.metrics
        metrics.declare(
            names.DROPPED_ITEMS,
            [(signal, reason) for signal in names.LOST_SIGNALS for reason in names.DROP_REASONS],
        )
        metrics.counter(names.INVALID_REQUESTS)
        metrics.declare(names.PII_POLICY_INFO, [(self.scrubber.policy.digest,)])
        metrics.gauge(names.PII_POLICY_INFO, self.scrubber.policy.digest).set(1)
        sources: dict[str, tuple[Callable[[], float], int]] = {
            "traces": (lambda: self.spans.gate.waiting, QUEUE_CAPACITY),
            "logs": (lambda: self.log_records.gate.waiting, QUEUE_CAPACITY),
            "log_lines": (lambda: 0 if self._writer is None else self._writer.waiting, CAPACITY_LINES),
        }
        for signal, (waiting, capacity) in sources.items():
            metrics.read(names.QUEUE_SIZE, signal, by=waiting)
            metrics.gauge(names.QUEUE_CAPACITY, signal).set(capacity)

    def _hide_principal(self, principal: str) -> str:
        """Do what the policy's rule does: the access event takes no way through a sink."""
        self._redactions.redacted("user_id", "logs")
        return self.scrubber.pseudonym("user", principal)

    def _write(self, line: bytes) -> None:
        if self._writer is not None:
            self._writer.write(line)

    def _write_out(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close(timeout=WRITE_OUT_SECONDS)

    async def start(self) -> None:
        """Start the writer, the exporters, the error tracker and the hooks."""
        self._writer = LineWriter(standard_output(), lambda reason, count: self.losses.lost("log_lines", reason, count))
        self.logs.start()
        self.tracing.make_global()
        self.spans.start()
        self.log_records.start()
        self.sentry.start()
        left_out = sorted(self.settings.resource_attributes.keys() - self.scrubber.policy.resource_keys)
        if left_out:
            _log.warning(names.RESOURCE_LEFT_OUT, attributes=left_out)
        loop = asyncio.get_running_loop()
        self._crashes.install(loop)
        self._lag = loop.create_task(self._watch_event_loop(), name="telemetry-event-loop-lag")

    async def stop(self) -> None:
        """Flush everything in parallel within `FLUSH_SECONDS`; what is not sent by then is counted and said."""
        if self._lag is not None:
            self._lag.cancel()
            with suppress(asyncio.CancelledError):
                await self._lag
        try:
            await asyncio.to_thread(self._flush)
        finally:
            # Also for a server that does not wait so long.
            self._crashes.remove(asyncio.get_running_loop())
            self.logs.stop()
            self._write_out()

    def _flush(self) -> None:
        """Stop the exporters, each in a daemon thread: none may keep the process from ending."""
        deadline = time.monotonic() + FLUSH_SECONDS
        stops = (self.spans.stop, self.log_records.stop, self.sentry.stop)
        threads = [threading.Thread(target=stop, daemon=True) for stop in stops]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))
        for pipeline in (self.spans, self.log_records):
            if items := pipeline.abandon():
                _log.warning(names.FLUSH_INCOMPLETE, signal=pipeline.gate.signal, items=items)

    async def _watch_event_loop(self) -> None:
        histogram = self.metrics.histogram(names.EVENT_LOOP_LAG)
        while True:
            due = time.perf_counter() + _LAG_INTERVAL_SECONDS
            await asyncio.sleep(_LAG_INTERVAL_SECONDS)
            histogram.observe(max(time.perf_counter() - due, 0.0))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep telemetry running for the length of an `async with`."""
        try:
            await self.start()
            yield
        finally:
            await self.stop()

    def span(self, name: str, **attributes: Any) -> AbstractContextManager[Any]:  # noqa: ANN401
        """Open a child of the current span for the length of a `with`."""
        return self.tracing.span(name, attributes)

    def root_span(
        self,
        name: str,
        links: Iterable[SpanIds] = (),
        **attributes: Any,  # noqa: ANN401
    ) -> AbstractContextManager[Any]:
        """Open a trace of its own for the length of a `with`, linked to other spans."""
        return self.tracing.root_span(name, attributes, links)

    def capture(self, exception: BaseException) -> None:
        """Send an exception of the background to the error tracker."""
        self.sentry.capture(exception)

    def watch_engine(self, engine: AsyncEngine) -> None:
        """Give each statement of a SQLAlchemy engine a span, and its pool metrics."""
        self._database.watch(engine)

    def pool_wait(self) -> AbstractContextManager[None]:
        """Count the caller among those that wait for a database connection, for the length of a `with`."""
        return self._database.waiting()

    def invalid_request(self) -> None:
        """Count a connection that the server refused; said at most once a minute."""
        self.losses.invalid_request()
