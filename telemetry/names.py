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
    "connections that the server refused: not HTTP, too late or one too many; at most once a minute",
)
EXPORT_FAILED = Event(
    "telemetry.export.failed",
    ("signal", "reason", "items", "cause"),
    "a batch was lost; at most once a minute a signal and a reason",
)
FLUSH_INCOMPLETE = Event(
    "telemetry.flush.incomplete", ("signal", "items"), "shutdown's deadline passed before all was sent"
)
SCRUB_FAILED = Event(
    "pii.scrub.failed", ("sink", "items"), "items could not be scrubbed and were not sent; at most once a minute a sink"
)
RESOURCE_LEFT_OUT = Event(
    "pii.resource.left_out", ("attributes",), "resource attributes that were given and that the policy does not allow"
)
PROCESS_CRASHED = Event("process.crashed", ("thread", "exception"), "an exception nobody handled")
TASK_FAILED = Event("task.failed", ("task", "exception"), "an asyncio callback or task failed unseen")
FINALIZER_FAILED = Event(
    "finalizer.failed", ("source", "exception"), "a `__del__` or another callback that cannot raise did"
)
AUTH_REJECTED = Event("auth.rejected", ("reason",), "the gateway refused a request; nothing of the token is said")
JWKS_FETCH_FAILED = Event("jwks.fetch.failed", ("reason",), "the verification keys could not be read again")
RATE_LIMIT_REFUSED = Event("rate_limit.refused", ("policy",), "a request over its limit was answered with 429")
RATE_LIMIT_OVERFLOWED = Event(
    "rate_limit.overflowed",
    ("policy",),
    "more keys than are kept apart: new ones share one count for a while",
)
RATE_LIMIT_BACKEND_GONE = Event(
    "rate_limit.backend.gone",
    ("setting", "reason", "processes"),
    "what keeps the counts does not answer: each of so many processes goes by its share of the limits",
)
RATE_LIMIT_BACKEND_BACK = Event("rate_limit.backend.back", ("setting",), "what keeps the counts decides again")
LLM_CALL_ENDED = Event(
    "llm.call.ended",
    (
        "outcome", "provider", "model", "prompt_name", "prompt_version", "reasons", "duration_ms", "first_token_ms",
        "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "cost_usd",
    ),
    "one for each call of a language model: `answered`, `cancelled` or what it failed with, and why attempts failed",
)  # fmt: skip
LLM_PROVIDER_LEFT_ALONE = Event(
    "llm.provider.left_alone", ("provider",), "a provider has failed too often and is not asked for a while"
)
LLM_PROVIDER_BACK = Event("llm.provider.back", ("provider",), "a provider that was left alone has answered")
LLM_ANSWER_BROKEN = Event(
    "llm.answer.broken",
    ("prompt_name", "problem"),
    "a streamed answer ended with an error after its first word; the status was a 200 by then",
)
LLM_LIMIT_REFUSED = Event(
    "llm.limit.refused",
    ("policy", "limit", "reason"),
    "a call of a language model was not admitted: `tokens` or `concurrency`, and what stood in its way",
)
LLM_PROVIDER_BUDGET_REFUSED = Event(
    "llm.provider_budget.refused",
    ("provider", "reason"),
    "a provider was not called: all callers' budget for it is used",
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
CACHE_WARMING_TOO_SHORT = Event(
    "cache_warming.prompts.too_short",
    ("prompts", "model", "minimum_tokens"),
    "prompts that the model does not cache, once at the start: they are shorter than its minimum, and not kept warm",
)
CACHE_WARMING_FAILED = Event(
    "cache_warming.failed",
    ("prompt_name", "reason", "next_in_seconds", "exception"),
    "a prompt's prefix could not be warmed; nothing is before the next time",
)
CACHE_WARMING_NOTHING_CACHED = Event(
    "cache_warming.nothing_cached",
    ("prompt_name", "next_in_seconds"),
    "a warm-up was answered, and neither read nor wrote the cache",
)
BRIEFINGS_RESUMED = Event("briefings.resumed", ("count",), "what an earlier process had left unfinished goes on")
BRIEFING_REFUSED = Event("briefing.refused", ("reason",), "a briefing was not taken on: `full` or `too_many`")
BRIEFING_DONE = Event("briefing.done", ("briefing_id", "attempt"), "a briefing has its result")
BRIEFING_FAILED = Event("briefing.failed", ("reason", "exception"), "a briefing ended without a result")

# --- metrics ------------------------------------------------------------------------------------
# What the conventions of generative AI have an attribute for has its name as a label, with `_` for `.`.

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
    "counter",
    "http_server_invalid_requests_total",
    "Connections that the server refused: not HTTP, too late or one too many.",
)
DROPPED_ITEMS = Metric(
    "counter",
    "telemetry_dropped_items_total",
    "Telemetry that never left: spans, log records, log lines or reports to Sentry.",
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
RATE_LIMIT_CONCURRENCY = Metric(
    "gauge", "rate_limit_concurrency_in_use", "Calls that hold a slot, of all callers.", ("policy",)
)
LLM_LIMIT_DECISIONS = Metric(
    "counter",
    "llm_limit_decisions_total",
    "Calls of a language model judged by a caller's limit.",
    ("policy", "limit", "outcome"),
)
LLM_TOKENS_RESERVED = Metric(
    "gauge", "llm_tokens_reserved", "Tokens set aside for calls that are not finished, of all callers.", ("policy",)
)
LLM_TOKENS_SPENT = Metric(
    "counter", "llm_tokens_spent_total", "Tokens that finished calls were charged with.", ("policy",)
)
LLM_PROVIDER_BUDGET_DECISIONS = Metric(
    "counter",
    "llm_provider_budget_decisions_total",
    "Attempts at a provider judged by its budget.",
    ("gen_ai_provider_name", "outcome"),
)
LLM_PROVIDER_TOKENS_RESERVED = Metric(
    "gauge",
    "llm_provider_tokens_reserved",
    "Tokens set aside for attempts that are not finished.",
    ("gen_ai_provider_name",),
)
LLM_PROVIDER_TOKENS_SPENT = Metric(
    "counter",
    "llm_provider_tokens_spent_total",
    "Tokens that a provider's budget was charged with.",
    ("gen_ai_provider_name",),
)
BRIEFINGS = Metric("gauge", "briefings_unfinished", "Briefings that wait or are worked on.", ("briefing_state",))
BRIEFINGS_FINISHED = Metric(
    "counter", "briefings_finished_total", "Briefings that ended: done, or why not.", ("briefing_outcome",)
)
BRIEFING_TOOL_CALLS = Metric(
    "counter", "briefing_tool_calls_total", "What agents asked of their tools.", ("gen_ai_tool_name", "tool_outcome")
)
PII_REDACTIONS = Metric("counter", "pii_redactions_total", "Times the privacy policy hid something.", ("rule", "sink"))
PII_SCRUB_FAILURES = Metric(
    "counter", "pii_scrub_failures_total", "Items that could not be scrubbed and were not sent.", ("sink",)
)
PII_POLICY_INFO = Metric("gauge", "pii_policy_info", "Always 1; which privacy policy is in force.", ("digest",))
CACHE_WARMING_CYCLES = Metric("counter", "cache_warming_cycles_total", "Times that prompts were due to be warmed.")
CACHE_WARMING_FAILURES = Metric("counter", "cache_warming_failures_total", "Warm-ups that warmed nothing.", ("reason",))
CACHE_WARMING_PROMPT_AGE = Metric(
    "gauge",
    "cache_warming_prompt_age_seconds",
    "Time since a prompt's prefix was known to be in the cache, or since the start; cold when over the cache's TTL.",
    ("prompt_name",),
)
CACHE_WARMING_TOKENS = Metric(
    "counter", "cache_warming_tokens_total", "Tokens of prefixes that warm-ups wrote to the cache or read.", ("kind",)
)
CACHE_WARMING_SAVED_TOKENS = Metric(
    "counter",
    "cache_warming_saved_tokens_total",
    "Tokens that real calls read from the cache instead of paying for them in full.",
    ("prompt_name",),
)
BUILD_INFO = Metric(
    "gauge", "build_info", "Always 1; what is running.", ("service_name", "service_version", "python_version")
)

# --- bounded label values -----------------------------------------------------------------------

METHODS = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "QUERY")
OTHER_METHOD = "_OTHER"
UNMATCHED_ROUTE = "unmatched"
SIGNALS = ("traces", "logs", "log_lines")
LOST_SIGNALS = (*SIGNALS, "sentry")
PII_SINKS = ("logs", "traces", "otlp_logs", "sentry")
LLM_LIMITS = ("tokens", "concurrency")
DROP_REASONS = ("queue_full", "export_failed", "rejected", "shutdown")

OTHER = "other"
# Labels whose values are known here; the others' are allowed as routes, layers and policies are declared.
LABEL_VALUES: dict[str, frozenset[str]] = {
    "http_request_method": frozenset({*METHODS, OTHER_METHOD}),
    "http_route": frozenset({UNMATCHED_ROUTE}),
    "http_response_status_code": frozenset(str(status) for status in range(100, 600)),
    "signal": frozenset(LOST_SIGNALS),
    "sink": frozenset(PII_SINKS),
    "outcome": frozenset({"allowed", "refused"}),
    "limit": frozenset(LLM_LIMITS),
    "backend": frozenset({"memory", "redis"}),
    "pool_name": frozenset({"default"}),
    "state": frozenset({"used", "idle"}),
    "briefing_state": frozenset({"queued", "running"}),
    "gen_ai_operation_name": frozenset({"chat"}),
    "gen_ai_token_type": frozenset({"input", "output"}),
    "error_type": frozenset({"", "cancelled"}),
    "result": frozenset({"hit", "miss"}),
}

# --- span attributes that no convention has a name for --------------------------------------------

ATTR_REQUEST_ID = "request_id"
ATTR_PII_REDACTIONS = "pii.redactions"
ATTR_PII_POLICY_DIGEST = "pii.policy.digest"
ATTR_PII_POLICY_DRIFT = "pii.policy.drift"  # the collector's: whether that is its own: `same`, `different`, `unknown`
ATTR_REJECTION_REASON = "clearstory.rejection.reason"
ATTR_REJECTION_POLICY = "clearstory.rejection.policy"  # the rate limit policy that refused, whichever layer answered
ATTR_REJECTION_LIMIT = "clearstory.rejection.limit"  # of it: `requests`, `tokens`, `concurrency`, `provider_budget`
ATTR_RATE_LIMIT_BACKEND = "clearstory.rate_limit.backend"  # with REDIS_URL: `redis`, or `share` while it is away
SPAN_MIDDLEWARE = "middleware {}"
SPAN_CACHE_WARMING_CYCLE = "cache_warming.cycle"
SPAN_CACHE_WARMING_PROMPT = "cache_warming.prompt"
ATTR_CACHE_WARMING_PROMPTS = "cache_warming.prompts"  # how many are due
ATTR_CACHE_WARMING_OUTCOME = "cache_warming.outcome"  # `hit`, `written`, `nothing`, `failed`
ATTR_CACHE_WARMING_TOKENS_WRITTEN = "cache_warming.tokens.written"
ATTR_CACHE_WARMING_TOKENS_READ = "cache_warming.tokens.read"
ATTR_CACHE_WARMING_NEXT_DUE = "cache_warming.next_due"  # RFC 3339
SPAN_BRIEFING = "briefing"
ATTR_BRIEFING = "clearstory.briefing.id"
ATTR_BRIEFING_ATTEMPT = "clearstory.briefing.attempt"  # the how-manieth time it was taken up
SPAN_STARTUP = "startup"  # from opening the resources to being ready

# --- calls of language models: spans ----------------------------------------------------------------
# The conventions of generative AI are in development, and their names move (https://opentelemetry.io/docs/specs/semconv/gen-ai/).

SPAN_CHAT = "chat {}"
SPAN_AGENT = "invoke_agent {}"
SPAN_TOOL = "execute_tool {}"
ATTR_GENAI_OPERATION = "gen_ai.operation.name"
ATTR_GENAI_PROVIDER = "gen_ai.provider.name"
ATTR_GENAI_MODEL = "gen_ai.request.model"
ATTR_GENAI_MAX_TOKENS = "gen_ai.request.max_tokens"
ATTR_GENAI_TEMPERATURE = "gen_ai.request.temperature"
ATTR_GENAI_STREAM = "gen_ai.request.stream"  # true, or not there
ATTR_GENAI_RESPONSE_ID = "gen_ai.response.id"
ATTR_GENAI_RESPONSE_MODEL = "gen_ai.response.model"
ATTR_GENAI_FINISH_REASONS = "gen_ai.response.finish_reasons"
ATTR_GENAI_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"  # seconds
ATTR_GENAI_INPUT_TOKENS = "gen_ai.usage.input_tokens"  # all of them, those of the cache too
ATTR_GENAI_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
ATTR_GENAI_CACHE_READ = "gen_ai.usage.cache_read.input_tokens"
ATTR_GENAI_CACHE_WRITE = "gen_ai.usage.cache_write.input_tokens"
ATTR_GENAI_AGENT = "gen_ai.agent.name"
ATTR_GENAI_TOOL = "gen_ai.tool.name"
ATTR_GENAI_TOOL_CALL = "gen_ai.tool.call.id"
ATTR_GENAI_TOOL_TYPE = "gen_ai.tool.type"
ATTR_SERVER_ADDRESS = "server.address"
ATTR_SERVER_PORT = "server.port"
# Ours. The conventions' own names of content (`gen_ai.input.messages`, ...) are key rules of the privacy policy.
ATTR_GENAI_PREVIEW = "gen_ai.content.preview"  # what was asked and answered: scrubbed, then cut; with content on
ATTR_PROMPT_NAME = "clearstory.prompt.name"
ATTR_PROMPT_VERSION = "clearstory.prompt.version"
ATTR_PROMPT_DIGEST = "clearstory.prompt.digest"
ATTR_LLM_COST = "clearstory.llm.cost_usd"  # estimated from the price table
ATTR_LLM_REASON = "clearstory.llm.reason"
ATTR_LLM_DELAY = "clearstory.llm.delay"  # seconds until what comes next
ATTR_LLM_FROM = "clearstory.llm.from"
ATTR_LLM_TO = "clearstory.llm.to"

# Events of these spans.
LLM_RETRY = "clearstory.llm.retry"
LLM_FALLOVER = "clearstory.llm.fallover"
LLM_BREAKER_OPEN = "clearstory.llm.breaker_open"
LLM_DEADLINE = "clearstory.llm.deadline"
LLM_MALFORMED = "clearstory.llm.malformed"
LLM_FAILED = "clearstory.llm.failed"
LLM_WITHHELD = "clearstory.llm.withheld"
LLM_TOOL_REFUSED = "clearstory.llm.tool_refused"
LLM_SPAN_EVENTS = {
    LLM_RETRY: "the same provider is asked again",
    LLM_FALLOVER: "the next provider is asked",
    LLM_BREAKER_OPEN: "a provider was passed over: it has failed too often",
    LLM_DEADLINE: "the time for a step or for the whole call was up",
    LLM_MALFORMED: "the provider's answer was not of its protocol",
    LLM_FAILED: "the provider gave no answer, or not all of it, for any other reason",
    LLM_WITHHELD: "the answer held what must not leave, and was ended",
    LLM_TOOL_REFUSED: "the model asked for a tool or with arguments that there are not",
}

# --- calls of language models: metrics --------------------------------------------------------------

_MODEL_LABELS = ("gen_ai_provider_name", "gen_ai_request_model")
_CALL_LABELS = ("gen_ai_operation_name", *_MODEL_LABELS)
# Counters only: a histogram would have all its buckets once more for each prompt. Calls' spans name theirs.
_PROMPT_LABELS = (*_MODEL_LABELS, "prompt_name")

GENAI_DURATION = Metric(
    "histogram",
    "gen_ai_client_operation_duration_seconds",
    "Time from a call's beginning to the end of its answer, retries included; error_type is empty where it succeeded.",
    (*_CALL_LABELS, "error_type"),
    (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
GENAI_FIRST_CHUNK = Metric(
    "histogram",
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    "Time from a streamed call's beginning to the first piece of its answer.",
    _CALL_LABELS,
    (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0),
)
# The conventions have the time between two chunks, which may be of any size, and this one on the server's side only.
GENAI_PER_TOKEN = Metric(
    "histogram",
    "gen_ai_client_operation_time_per_output_token_seconds",
    "Time per output token after the first piece of a streamed answer: its mean, once a call.",
    _CALL_LABELS,
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5),
)
GENAI_TOKENS = Metric(
    "histogram",
    "gen_ai_client_token_usage",
    "Tokens of a call; input includes those read from the cache or written to it.",
    (*_CALL_LABELS, "gen_ai_token_type"),
    tuple(float(4**power) for power in range(14)),
)
GENAI_CACHE_READ_TOKENS = Metric(
    "counter",
    "gen_ai_client_cache_read_tokens_total",
    "Input tokens read from the provider's cache.",
    _PROMPT_LABELS,
)
GENAI_CACHE_WRITE_TOKENS = Metric(
    "counter",
    "gen_ai_client_cache_write_tokens_total",
    "Input tokens written to the provider's cache.",
    _PROMPT_LABELS,
)
GENAI_CACHE_LOOKUPS = Metric(
    "counter",
    "gen_ai_client_cache_lookups_total",
    "Answered calls, by whether they read anything from the provider's cache.",
    (*_PROMPT_LABELS, "result"),
)
GENAI_RETRIES = Metric(
    "counter",
    "gen_ai_client_retries_total",
    "Times the same provider was asked again.",
    ("gen_ai_provider_name", "reason"),
)
# Two providers play a part in it: neither is the one that the convention's attribute means.
GENAI_FALLOVERS = Metric(
    "counter",
    "gen_ai_client_fallovers_total",
    "Times another provider was asked instead.",
    ("from_provider", "to_provider", "reason"),
)
GENAI_ATTEMPT_FAILURES = Metric(
    "counter",
    "gen_ai_client_attempt_failures_total",
    "Times a provider did not answer, or was not asked, by why.",
    ("gen_ai_provider_name", "reason"),
)
GENAI_COST = Metric(
    "counter", "gen_ai_client_cost_usd_total", "What calls cost, estimated from the price table.", _PROMPT_LABELS
)
LLM_REPLACEMENTS = Metric(
    "counter",
    "llm_replacements_total",
    "Values of people that answers held and that were replaced on their way to the caller.",
    ("kind",),
)
GENAI_BREAKER_OPEN = Metric(
    "gauge",
    "gen_ai_client_breaker_open",
    "Whether a provider is passed over for having failed.",
    ("gen_ai_provider_name",),
)
