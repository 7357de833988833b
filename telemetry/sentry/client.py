"""Unhandled errors go to Sentry, under OpenTelemetry's trace id and without what a request carried."""

from __future__ import annotations

import random
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.client import get_options
from sentry_sdk.utils import event_from_exception

from telemetry.sentry.binding import bind, isolated, unbind
from telemetry.sentry.gate import Gate
from telemetry.sentry.hooks import Hooks
from telemetry.sentry.options import client_options

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from telemetry.losses import Lost
    from telemetry.pii import Sink
    from telemetry.request import RequestRecord
    from telemetry.settings import TelemetrySettings

# It may block the stop for so long.
CLOSE_SECONDS = 1.0
# One for all requests: it keeps nothing.
_NOTHING = nullcontext()


class Sentry:
    """The Sentry client of one application; without a DSN nothing is kept and nothing is sent.

    While it runs, the SDK's own functions (`sentry_sdk.set_tag`, `add_breadcrumb`, `capture_message`) use it too.

    Args:
        settings: DSN, release, environment, share of transactions.
        sink: scrubs whatever is sent.
        lost: told of signal, reason and number of what did not arrive.
    """

    def __init__(self, settings: TelemetrySettings, sink: Sink, lost: Lost) -> None:
        self._settings = settings
        self._sink = sink
        self._lost = lost
        self._client: sentry_sdk.Client | None = None
        # Not for secrets: which share of the requests is sent.
        self._share = random.Random()  # noqa: S311

    def start(self) -> None:
        """Make the client, where there is a DSN."""
        if self._settings.sentry_dsn is None:
            return
        options = client_options(self._settings, Hooks(self._sink))
        gate = Gate(get_options(**options), self._sink, self._lost)
        self._client = sentry_sdk.Client(**options, transport=gate)
        # SENTRY_PRINT_ENVELOPES puts a transport that prints before the one that was given.
        self._client.transport = gate
        bind(self._client)

    def isolated(self) -> AbstractContextManager[None]:
        """Keep what the application tells the SDK during a `with` from other requests' events."""
        return _NOTHING if self._client is None else isolated(self._client)

    def capture(self, exception: BaseException) -> None:
        """Send an exception that no request is behind."""
        self._report(exception, None, {})

    def capture_request(self, exception: BaseException, record: RequestRecord) -> None:
        """Send a request's unhandled exception, linked to its trace."""
        self._report(exception, {"type": "asgi", "handled": False}, self._of_request(record))

    def _report(self, exception: BaseException, mechanism: dict[str, Any] | None, more: dict[str, Any]) -> None:
        if self._client is None:
            return
        try:
            event, hint = event_from_exception(exception, client_options=self._client.options, mechanism=mechanism)
            self._send({**event, **more}, hint)
        except Exception:  # noqa: BLE001 - a foreign exception's properties may raise anything
            self._sink.refuse()

    def _send(self, event: Any, hint: Any = None) -> None:  # noqa: ANN401 - Sentry's own loose types
        if self._client is not None:
            with sentry_sdk.new_scope() as scope:
                scope.client = self._client
                scope.capture_event(event, hint=hint)

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
        if record.principal is not None:
            event["user"] = {"id": record.principal}
        if record.trace_id is not None:
            event["contexts"] = {"trace": {"trace_id": record.trace_id, "span_id": record.span_id, "op": "http.server"}}
        return event

    def stop(self) -> None:
        """Send what waits and end, within `CLOSE_SECONDS`."""
        client, self._client = self._client, None
        if client is not None:
            unbind(client)
            client.close(timeout=CLOSE_SECONDS)
