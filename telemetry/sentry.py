"""Unhandled errors go to Sentry, under OpenTelemetry's trace id and without what a request carried."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.utils import event_from_exception

if TYPE_CHECKING:
    from telemetry.request import RequestRecord
    from telemetry.settings import TelemetrySettings


class Sentry:
    """The Sentry client of one application; without a DSN nothing is kept and nothing is sent.

    Args:
        settings: DSN, release, environment, share of transactions.
    """

    def __init__(self, settings: TelemetrySettings) -> None:
        self._settings = settings
        self._client: sentry_sdk.Client | None = None
        # Not for secrets: which share of the requests is sent.
        self._share = random.Random()  # noqa: S311

    def start(self) -> None:
        """Make the client, where there is a DSN."""
        if self._settings.sentry_dsn is None:
            return
        self._client = sentry_sdk.Client(
            dsn=self._settings.sentry_dsn,
            release=self._settings.service_version,
            environment=self._settings.environment,
            server_name="",
            # Everything that reads a request, a header or a local variable by itself is off.
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[],
            include_local_variables=False,
            include_source_context=False,
            max_request_body_size="never",
            auto_session_tracking=False,
            propagate_traces=False,
            spotlight=False,
            shutdown_timeout=0,
        )

    def _send(self, event: Any, hint: Any = None) -> None:  # noqa: ANN401 - Sentry's own loose types
        if self._client is not None:
            self._client.capture_event(event, hint=hint, scope=sentry_sdk.Scope())

    def capture(self, exception: BaseException) -> None:
        """Send an exception that no request is behind."""
        if self._client is not None:
            self._send(*event_from_exception(exception, client_options=self._client.options))

    def capture_request(self, exception: BaseException, record: RequestRecord) -> None:
        """Send a request's unhandled exception, linked to its trace."""
        if self._client is None:
            return
        event, hint = event_from_exception(
            exception, client_options=self._client.options, mechanism={"type": "asgi", "handled": False}
        )
        self._send({**event, **self._of_request(record)}, hint)

    def transaction(self, record: RequestRecord, duration: float) -> None:
        """Send a share of the requests as transactions.

        Args:
            record: the finished request.
            duration: seconds.
        """
        if self._client is None or self._share.random() >= self._settings.sentry_traces_sample_rate:
            return
        now = time.time()
        event = self._of_request(record)
        event.update(type="transaction", start_timestamp=now - duration, timestamp=now, spans=[])
        self._send(event)

    @staticmethod
    def _of_request(record: RequestRecord) -> dict[str, Any]:
        event: dict[str, Any] = {
            "transaction": f"{record.method} {record.route}",
            "transaction_info": {"source": "route"},
            "tags": {"request_id": record.request_id},
        }
        if record.trace_id is not None:
            event["contexts"] = {"trace": {"trace_id": record.trace_id, "span_id": record.span_id, "op": "http.server"}}
        return event

    def stop(self) -> None:
        """Send what waits and end. Blocks up to a second."""
        client, self._client = self._client, None
        if client is not None:
            client.close(timeout=1.0)
