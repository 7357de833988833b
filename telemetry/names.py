"""Every name that leaves the process: events, metrics, spans and attributes, with unit and meaning.

HTTP and database names follow the OpenTelemetry semantic conventions (stable set, 1.45); metric
names are written the way Prometheus exposes them (https://prometheus.io/docs/practices/naming/).
"""

from dataclasses import dataclass
from typing import Literal, Self


class Event(str):
    """A log event: its fixed name, the fields it may carry and its meaning."""

    __slots__ = ("fields", "meaning")
    fields: tuple[str, ...]
    meaning: str

    def __new__(cls, name: str, fields: tuple[str, ...], meaning: str) -> Self:
        """Make an event of its name, fields and meaning."""
        event = super().__new__(cls, name)
        event.fields = fields
        event.meaning = meaning
        return event


@dataclass(frozen=True, slots=True)
class Metric:
    """A Prometheus metric: kind, name (unit as its suffix), label names, help text, buckets (in its unit)."""

    kind: Literal["counter", "gauge", "histogram"]
    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


# --- events -------------------------------------------------------------------------------------

HTTP_REQUEST_COMPLETED = Event(
    "http.request.completed",
    (
        "method", "route", "status", "duration_ms", "bytes", "principal", "rate_limit", "middleware_ms",
        "error_type",
    ),
    "the access event: one for each request, at its last body message or at the client's disconnect (499)",
)  # fmt: skip
HTTP_REQUEST_FAILED = Event(
    "http.request.failed", ("method", "route", "exception"), "an unhandled exception, once, with its trace"
)
RESPONSE_HEADERS_FAILED = Event(
    "http.response.headers.failed", ("exception",), "the application's response_headers raised; its fields are missing"
)
HTTP_REQUEST_INVALID = Event(
    "http.request.invalid",
    ("count",),
    "bytes that are not HTTP, answered by the server; at most once a minute",
)
EXPORT_FAILED = Event(
    "telemetry.export.failed",
    ("signal", "reason", "items"),
    "a batch was lost; at most once a minute a signal",
)
FLUSH_INCOMPLETE = Event(
    "telemetry.flush.incomplete", ("signal", "items"), "shutdown's deadline passed before all was sent"
)
PROCESS_CRASHED = Event("process.crashed", ("thread", "exception"), "an exception nobody handled")
TASK_FAILED = Event("task.failed", ("task", "exception"), "an asyncio callback or task failed unseen")
AUTH_REJECTED = Event("auth.rejected", ("reason",), "the gateway refused a request; nothing of the token is said")
JWKS_FETCH_FAILED = Event("jwks.fetch.failed", ("reason",), "the verification keys could not be read again")
RATE_LIMIT_REFUSED = Event("rate_limit.refused", ("policy",), "a request over its limit was answered with 429")
RATE_LIMIT_OVERFLOWED = Event(
    "rate_limit.overflowed",
    ("policy",),
    "more keys than are kept apart: new ones share one count for a while",
)
DATABASE_MIGRATED = Event("database.migrated", ("before", "after"), "the schema moved from one revision to another")
DATABASE_UNAVAILABLE = Event(
    "database.unavailable",
    ("fault", "error", "code"),
    "a request was answered 503: the database is gone or busy; class and SQLSTATE, never the driver's text",
)
DATABASE_WIPE_DEFERRED = Event(
    "database.wipe.deferred", (), "a reader holds pages of erased rows; they are removed when it lets go"
)

# --- metrics ------------------------------------------------------------------------------------

_SEMCONV_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_LONG_SECONDS = (*_SEMCONV_SECONDS, 30.0, 60.0, 120.0)
_MICROSECONDS = (*(float(f"{step}e{decade}") for decade in range(-6, 0) for step in (1, 2.5, 5)), 1.0)

REQUEST_DURATION = Metric(
    "histogram",
    "http_server_request_duration_seconds",
    "Time from the request's head to the last byte of its response.",
    ("http_request_method", "http_route", "http_response_status_code"),
    _LONG_SECONDS,
)
TIME_TO_FIRST_BYTE = Metric(
    "histogram",
    "http_server_time_to_first_byte_seconds",
    "Time from the request's head to the first byte of its response.",
    ("http_request_method", "http_route"),
    _LONG_SECONDS,
)
ACTIVE_REQUESTS = Metric("gauge", "http_server_active_requests", "Requests being served.", ("http_request_method",))
MIDDLEWARE_DURATION = Metric(
    "histogram",
    "http_server_middleware_duration_seconds",
    "Own time of each middleware: what it costs without what it wraps.",
    ("middleware",),
    _MICROSECONDS,
)
MIDDLEWARE_REJECTIONS = Metric(
    "counter",
    "http_server_middleware_rejections_total",
    "Requests that a middleware answered by itself.",
    ("middleware", "reason"),
)
INVALID_REQUESTS = Metric(
    "counter", "http_server_invalid_requests_total", "Bytes that are not HTTP, answered by the server."
)
DROPPED_ITEMS = Metric(
    "counter",
    "telemetry_dropped_items_total",
    "Telemetry that never left: spans, log records or log lines.",
    ("signal", "reason"),
)
QUEUE_SIZE = Metric("gauge", "telemetry_queue_size", "Items waiting to be exported.", ("signal",))
QUEUE_CAPACITY = Metric("gauge", "telemetry_queue_capacity", "Items that may wait.", ("signal",))
EVENT_LOOP_LAG = Metric(
    "histogram",
    "event_loop_lag_seconds",
    "How late the event loop woke a sleeping task.",
    (),
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
POOL_USAGE = Metric("gauge", "db_client_connections_usage", "Database connections by state.", ("pool_name", "state"))
POOL_PENDING = Metric(
    "gauge",
    "db_client_connections_pending_requests",
    "Tasks that wait for a database connection.",
    ("pool_name",),
)
POOL_MAX = Metric("gauge", "db_client_connections_max", "Database connections that may be open.", ("pool_name",))
RATE_LIMIT_REQUESTS = Metric(
    "counter", "rate_limit_requests_total", "Requests judged by a rate limit.", ("policy", "outcome")
)
RATE_LIMIT_HEADROOM = Metric(
    "histogram",
    "rate_limit_headroom_ratio",
    "What was left of the limit when a request was judged: remaining over limit.",
    ("policy",),
    (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0),
)
RATE_LIMIT_BACKEND_UP = Metric("gauge", "rate_limit_backend_up", "Whether what keeps the counts answers.", ("backend",))
RATE_LIMIT_BACKEND_ERRORS = Metric(
    "counter", "rate_limit_backend_errors_total", "Judgements that what keeps the counts could not make."
)
RATE_LIMIT_OVERFLOWS = Metric(
    "counter",
    "rate_limit_key_overflows_total",
    "Times a policy had more keys than are kept apart.",
    ("policy",),
)
BUILD_INFO = Metric(
    "gauge", "build_info", "Always 1; what is running.", ("service_name", "service_version", "python_version")
)

# --- bounded label values -----------------------------------------------------------------------

METHODS = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "QUERY")
OTHER_METHOD = "_OTHER"
UNMATCHED_ROUTE = "unmatched"
SIGNALS = ("traces", "logs", "log_lines")
DROP_REASONS = ("queue_full", "export_failed", "shutdown")

# --- span attributes that no convention has a name for --------------------------------------------

ATTR_REQUEST_ID = "request_id"
ATTR_REJECTION_REASON = "clearstory.rejection.reason"
SPAN_MIDDLEWARE = "middleware {}"
