"""What `benchmarks.scrub` scrubs: a span, a Sentry event, texts, and strings made to be slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telemetry.pii import Scrubber

KIB = 1024
CLEAN_LINE = "GET /api/v1/jobs?limit=20 answered 200 in 12 ms: 42 rows, cache warm, nothing else to be said about it\n"
TEXTS = [
    ("16 B attribute", "application/json"),
    (
        "110 B log line",
        "GET /api/v1/jobs?limit=20 HTTP/1.1 200 12ms request done for tenant alpha in region west: 42 rows, cache warm",
    ),
    ("65 B with an address and a card", "mail bob@example.com, card 4111 1111 1111 1111 was declined again"),
    ("4 KiB clean", (CLEAN_LINE * 64)[: 4 * KIB]),
]
_UNITS = (
    "1", "1 ", "1-", "a@", "@", "a.", "a@a.", "::", ":", "1:", "0:0", "password=", "eyJ", "eyJa.", "-----BEGIN", "://a:",
    "%25", "%40", "%3A", "+1 ", "+1", "phone 1", "card 1", "\\", '"', '"password":"', "&name=", "=", "Bearer ", "sk-a",
    "Authorization: ", "Cookie: a=", "aA", "1.", "1.1.1.", "4111 ", "DE89 ", "A1 ", "é", "[REDACTED:email]", "user%5B",
    "(0)1 ", "1/ ",
)  # fmt: skip
_CODE = "    return await self.repository.find(query, limit=limit, cursor=cursor)  # page {} of the catalogue"
_FRAMES, _CRUMBS, _MODULES = 34, 50, 60


def clean_span() -> dict[str, Any]:
    """Gives the attributes of a server span in which nothing is sensitive."""
    return {
        "http.request.method": "GET",
        "http.route": "/api/v1/jobs/{job_id}",
        "url.path": "/api/v1/jobs/j_01HZX",
        "url.scheme": "http",
        "http.response.status_code": 200,
        "http.request.body.size": 0,
        "http.response.body.size": 512,
        "network.protocol.version": "1.1",
        "server.address": "127.0.0.1",
        "server.port": 8000,
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120",
        "request_id": "req_0123456789abcdef0123456789abcdef",
        "db.system.name": "postgresql",
        "db.query.text": "SELECT id, title FROM jobs WHERE id = ?",
        "db.operation.name": "SELECT",
        "db.collection.name": "jobs",
        "code.function.name": "service.routes.jobs.get",
        "thread.name": "MainThread",
        "error.type": "TimeoutError",
        "rate_limit": "allowed",
    }


def sentry_event() -> dict[str, Any]:
    """Gives an event of an unhandled error, as the SDK hands it to `before_send`."""
    frames = [
        {
            "filename": f"service/routes/module_{number}.py",
            "abs_path": f"/srv/app/service/routes/module_{number}.py",
            "function": f"handler_{number}",
            "module": f"service.routes.module_{number}",
            "lineno": 100 + number,
            "pre_context": [_CODE.format(number * 10 + line) for line in range(3)],
            "context_line": _CODE.format(number),
            "post_context": [_CODE.format(number * 10 + line + 5) for line in range(2)],
            "in_app": number % 2 == 0,
        }
        for number in range(_FRAMES)
    ]
    crumbs = [
        {
            "type": "log",
            "level": "info",
            "category": "service.jobs",
            "message": f"query {number} answered with {number * 3} rows",
            "timestamp": f"2026-11-22T10:20:{number:02}.123456Z",
            "data": {"rows": number, "table": "jobs", "duration_ms": number / 7},
        }
        for number in range(_CRUMBS)
    ]
    return {
        "event_id": "0123456789abcdef0123456789abcdef",
        "level": "error",
        "platform": "python",
        "transaction": "/api/v1/jobs/{job_id}",
        "environment": "production",
        "contexts": {"trace": {"trace_id": "0123456789abcdef0123456789abcdef", "span_id": "0123456789abcdef"}},
        "exception": {
            "values": [{"type": "RuntimeError", "value": "no such job", "stacktrace": {"frames": frames}}],
        },
        "breadcrumbs": {"values": crumbs},
        "request": {"url": "http://api/v1/jobs", "method": "GET", "headers": {"Accept": "application/json"}},
        "modules": {f"package-{number}": f"{number}.2.1" for number in range(_MODULES)},
        "tags": {"route": "/api/v1/jobs/{job_id}"},
    }


def fitted(unit: str, size: int) -> str:
    """Gives a text of that many characters, of one unit again and again."""
    return (unit * (size // len(unit) + 1))[:size]


def hostile_units(scrubber: Scrubber) -> Iterator[str]:
    """Gives what a slow string may be made of: beginnings of what the rules look for, and all of their examples."""
    yield from _UNITS
    for rule in scrubber.compiled.data:
        for example in (*rule.examples, *rule.innocent):
            yield from (example, f"{example} ")
