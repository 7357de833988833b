"""SQLAlchemy: spans without literals, and who holds or waits for a connection."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from opentelemetry.metrics import NoOpUpDownCounter
from opentelemetry.trace import Status, StatusCode

from telemetry import names
from telemetry.tracing import stable_semantic_conventions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import TracerProvider
    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.ext.asyncio import AsyncEngine
    from sqlalchemy.pool import QueuePool

    from telemetry.metrics import Metrics

_POOL = "default"


class DatabaseWatch:
    """Watches the database of one application.

    Args:
        metrics: the registry.
        provider: makes the spans.
    """

    def __init__(self, metrics: Metrics, provider: TracerProvider) -> None:
        self._metrics = metrics
        self._provider = provider
        self._pending = metrics.gauge(names.POOL_PENDING, _POOL)

    def watch(self, engine: AsyncEngine) -> None:
        """Give each statement of an engine a span, and its pool metrics.

        Statement texts are recorded as SQLAlchemy compiled them: with placeholders, their parameters apart.

        Args:
            engine: an engine with a queue pool.
        """
        # An application without a database does not have SQLAlchemy.
        from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer  # noqa: PLC0415
        from sqlalchemy import event  # noqa: PLC0415

        stable_semantic_conventions()
        event.listen(engine.sync_engine, "handle_error", _end_failed)
        # The instrumentor asks for SQLAlchemy < 2.1 and refuses in silence; its tracer works with 2.1 (measured).
        EngineTracer(  # type: ignore[no-untyped-call]
            self._provider.get_tracer("opentelemetry.instrumentation.sqlalchemy"),
            engine.sync_engine,
            NoOpUpDownCounter("db.client.connections.usage"),
        )
        namespace = PurePath(engine.url.database or "").stem

        def name_span(*arguments: Any) -> None:  # noqa: ANN401 - SQLAlchemy's event arguments
            _name(arguments[4], arguments[2], namespace)

        event.listen(engine.sync_engine, "before_cursor_execute", name_span)
        pool: QueuePool = engine.sync_engine.pool  # type: ignore[assignment]
        self._metrics.read(names.POOL_USAGE, _POOL, "used", by=pool.checkedout)
        self._metrics.read(names.POOL_USAGE, _POOL, "idle", by=pool.checkedin)
        self._metrics.gauge(names.POOL_MAX, _POOL).set(pool.size() + max(pool._max_overflow, 0))  # noqa: SLF001

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the caller among those that wait for a connection, for the length of a `with`."""
        self._pending.inc()
        try:
            yield
        finally:
            self._pending.dec()


def _name(context: Any, statement: str, namespace: str) -> None:  # noqa: ANN401 - SQLAlchemy's execution context
    """Call the span by operation and database; the tracer puts the path of an SQLite file into both."""
    span = getattr(context, "_otel_span", None)
    if span is not None and span.is_recording():
        operation = statement.split(None, 1)[0].upper()
        span.update_name(f"{operation} {namespace}")
        span.set_attribute("db.operation.name", operation)
        span.set_attribute("db.namespace", namespace)


def _end_failed(context: ExceptionContext) -> None:
    """End the span of a failed statement by the error's class: its text may quote a row (asyncpg's DETAIL)."""
    execution: Any = context.execution_context
    span = getattr(execution, "_otel_span", None)
    if span is not None:
        kind = type(context.original_exception).__name__
        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR, kind))
        span.end()
        execution._otel_span = None  # noqa: SLF001 - the tracer's own mark: it would add the text
