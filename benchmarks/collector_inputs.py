"""The spans that `benchmarks.collector` sends: each kind as one request of a hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.scrub_inputs import clean_span

if TYPE_CHECKING:
    from collections.abc import Mapping

SPANS = 100
_FRAME = '  File "/srv/app/service/jobs/{}.py", line {}, in {}\n    return await self.repository.find(query, limit)\n'
_MODULES = ("routes", "search", "catalogue", "pages", "repository", "queries", "session", "result", "rows", "types")
STACK_TRACE = (
    "Traceback (most recent call last):\n"
    + "".join(_FRAME.format(name, 40 + 17 * number, f"find_{name}") for number, name in enumerate(_MODULES))
    + "service.errors.NotFound: there is no such job"
)
_SENSITIVE = {
    "user_agent.original": "mail to bob.builder@example.com bounced",
    "db.query.text": "SELECT id FROM orders WHERE card = '4111 1111 1111 1111'",
    "url.path": "/api/v1/hosts/198.51.100.23/jobs",
    "error.type": "rejected: Authorization: Bearer ghp_0123456789abcdefghijABCDEFGHIJ012345",
}
# The columns of the tables.
CLEAN, SENSITIVE, EXCEPTION = "clean", "four PII values", "clean, with an exception event"


def requests() -> dict[str, bytes]:
    """Give a request of each kind, by the name of its column."""
    clean = clean_span()
    return {
        CLEAN: _request(clean),
        SENSITIVE: _request({**clean, **_SENSITIVE}),
        EXCEPTION: _request(clean, exception=True),
    }


def _request(attributes: Mapping[str, Any], *, exception: bool = False) -> bytes:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    _add(
        resource.resource.attributes,
        {"service.name": "clearstory", "service.version": "0.1.0", "telemetry.sdk.language": "python"},
    )
    scope = resource.scope_spans.add()
    scope.scope.name = "telemetry"
    for number in range(1, SPANS + 1):
        span = scope.spans.add(
            name="GET /api/v1/jobs/{job_id}",
            kind=2,  # a server's
            trace_id=number.to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            start_time_unix_nano=1_790_000_000_000_000_000,
            end_time_unix_nano=1_790_000_000_012_000_000,
        )
        _add(span.attributes, attributes)
        if exception:
            event = span.events.add(name="exception", time_unix_nano=1_790_000_000_010_000_000)
            _add(
                event.attributes,
                {
                    "exception.type": "service.errors.NotFound",
                    "exception.message": "there is no such job",
                    "exception.stacktrace": STACK_TRACE,
                    "exception.escaped": "False",
                },
            )
    return bytes(request.SerializeToString())


def _add(target: Any, attributes: Mapping[str, Any]) -> None:
    for key, value in attributes.items():
        added = target.add(key=key).value
        if isinstance(value, int):
            added.int_value = value
        else:
            added.string_value = value
