"""How the SDK is set up: what opens a way out or reads requests by itself is off, whatever the environment says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentry_sdk.scrubber import EventScrubber

if TYPE_CHECKING:
    from telemetry.sentry.hooks import Hooks
    from telemetry.settings import TelemetrySettings


def client_options(settings: TelemetrySettings, hooks: Hooks) -> dict[str, Any]:
    """Give the options of an application's client.

    Args:
        settings: DSN, release, environment.
        hooks: scrub what is kept and sent.
    """
    return {
        "dsn": settings.sentry_dsn,
        "release": settings.service_version,
        "environment": settings.environment,
        "server_name": "",
        "before_send": hooks.event,
        "before_send_transaction": hooks.transaction,
        "before_breadcrumb": hooks.breadcrumb,
        "before_send_log": hooks.record,
        "before_send_metric": hooks.record,
        # Integrations read requests, headers, arguments and local variables. The list is explicit: none.
        "default_integrations": False,
        "auto_enabling_integrations": False,
        "integrations": [],
        "include_local_variables": False,
        "include_source_context": False,
        "max_request_body_size": "never",
        # A text that is cut before it is scrubbed may end in the middle of what a rule would have found.
        "max_value_length": None,
        # One policy: the SDK's own list of words would hide some of it uncounted, and in another spelling.
        "event_scrubber": EventScrubber(denylist=[], pii_denylist=[]),
        "auto_session_tracking": False,
        "send_client_reports": False,
        "enable_backpressure_handling": False,
        # Transactions are made of OpenTelemetry's spans; the SDK's own stay off, and with them its span hook, which
        # sends the original when it raises.
        "traces_sample_rate": None,
        "trace_lifecycle": "static",
        "propagate_traces": False,
        "spotlight": False,
        "debug": False,  # it would write breadcrumbs and logs to standard error as they came
        "keep_alive": False,
        # The peers are those of the settings: no proxy of the environment.
        "http_proxy": "",
        "https_proxy": "",
        "shutdown_timeout": 0,
    }
