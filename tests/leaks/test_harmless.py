"""The opposite of a leak: what is harmless is told exactly as it would be without a policy, byte by byte."""

import json
import re

from service.domain.catalogue import catalogue
from telemetry.routes import RouteTable
from tests.leaks.foreign import foreign
from tests.leaks.policies import scrub_nobody
from tests.leaks.real import real
from tests.leaks.search import OTLP, fields
from tests.leaks.wire import SINKS, Wire, listening

JOB = next(catalogue()).id
APPLICATION = "app_0a1b2c3d4e5f60718293a4b5c6d7e8f9"
LETTER, BRIEFING = (f"{kind}_0a1b2c3d4e5f60718293a4b5c6d7e8f9" for kind in ("ltr", "brf"))
BODY = {"name": "-", "email": "someone@localhost", "cv_content": "-"}
JOURNEY = (
    ("GET", "/api/v1/jobs?limit=2", {}),
    ("GET", f"/api/v1/jobs/{JOB}", {}),
    ("GET", "/api/v1/profiles/me", {}),
    ("PUT", "/api/v1/profiles/me", {"json": BODY}),
    ("PUT", "/api/v1/profiles/me", {"json": {"name": 7}}),
    ("DELETE", "/api/v1/profiles/me", {}),
    ("POST", "/api/v1/applications", {"json": {"job_id": JOB, "note": "-"}}),
    ("POST", "/api/v1/applications", {"content": b"{"}),
    ("GET", "/api/v1/applications?limit=3", {}),
    ("GET", f"/api/v1/applications/{APPLICATION}", {}),
    ("PATCH", f"/api/v1/applications/{APPLICATION}", {"json": {"status": "withdrawn"}}),
    ("POST", "/api/v1/cover-letters", {"json": {"job_id": JOB}}),
    ("GET", f"/api/v1/cover-letters/{LETTER}", {}),
    ("POST", "/api/v1/questions", {"json": {"question": "-"}}),
    ("POST", "/api/v1/briefings", {"json": {"focus": ""}}),
    ("GET", f"/api/v1/briefings/{BRIEFING}", {}),
    ("GET", "/openapi.json", {}),
    ("GET", "/docs", {}),
    ("GET", "/docs/assets/swagger-ui.css", {}),
    ("GET", "/healthz", {}),
    ("GET", "/readyz", {}),
    ("GET", "/nowhere", {}),
    ("DELETE", "/api/v1/jobs", {}),
    ("GET", "/boom", {}),
    ("POST", "/wrong-statement", {"json": {"note": "-"}}),
    ("GET", "/background", {}),
    ("GET", "/stream", {}),
)
# Ids, clocks and durations differ from run to run, and nothing else may.
MASKED = (
    (re.compile(r"\b1[0-9]{18}\b"), "NANOSECONDS"),
    (re.compile(r"\b1[0-9]{9}\.[0-9]+\b"), "SECONDS"),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}(?:Z|\+00:00)"), "TIME"),
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"\b(?:req_|app_|brf_|ltr_|prf_)?[0-9a-f]{32}\b"), "ID"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "SPAN"),
    (re.compile(r'"(?:duration_ms|gateway|rate_limit|owasp)":[0-9.e-]+'), "DURATION"),
    (re.compile(r"\b[0-9]+\.[0-9]+(?:e-[0-9]+)?\b"), "FRACTION"),
    (re.compile(r"FRACTION\n[0-9]+\n"), "FRACTION\n"),  # a number is read rounded too
    (re.compile(r"Task-[0-9]+"), "TASK"),
)


def masked(text: str) -> str:
    """Give a text without what differs from run to run."""
    for pattern, name in MASKED:
        text = pattern.sub(name, text)
    return text


def told(wire: Wire) -> dict[str, list[str]]:
    """Give what each sink was told, item by item."""
    posts = wire.otlp.requests()
    return {
        "logs": [masked(line.decode()) for line in wire.lines],
        "traces": told_over_otlp(posts, "/v1/traces", "spans", "spans"),
        "otlp_logs": told_over_otlp(posts, "/v1/logs", "logs", "log_records"),
        "sentry": [
            masked(json.dumps(json.loads(payload), sort_keys=True))
            for _, items in wire.sentry.envelopes()
            for _, payload in items
        ],
    }


def without_ids(message):
    """Take the ids, which are bytes, out of a span with its links, or of a log record."""
    for part in (message, *getattr(message, "links", ())):
        for name in {"trace_id", "span_id", "parent_span_id"} & set(part.DESCRIPTOR.fields_by_name):
            part.ClearField(name)
    return message


def told_over_otlp(posts, sent_to: str, signal: str, items: str) -> list[str]:
    """Give each span or log record that was sent to a path, with its resource and scope."""
    return [
        masked("\n".join([*fields(resource.resource), *fields(scope.scope), *fields(without_ids(item))]))
        for path, _, body in posts
        if path == sent_to
        for resource in getattr(OTLP[path].FromString(body), f"resource_{signal}")
        for scope in getattr(resource, f"scope_{signal}")
        for item in getattr(scope, items)
    ]


async def journey(tmp_path) -> dict[str, list[str]]:
    """Go through every route once, with nothing to hide."""
    with listening() as wire:
        async with real(wire, tmp_path, PROMPT_CACHE_WARM_ON_STARTUP="false") as running:
            visited = set()
            routes = RouteTable(running.app.routes)
            for method, url, content in JOURNEY:
                await running.client.request(method, url, **content)
                await running.exported()
                visited.add((method, routes.resolve(method, url.partition("?")[0])))
            own = {(method, path) for method, path in running.app.state.access if method not in {"HEAD", "OPTIONS"}}
            assert own - visited == {("GET", "/metrics")}
        return told(wire)


async def test_what_is_harmless_is_told_as_it_is(tmp_path, monkeypatch):
    """Every line, span, record and Sentry event of a harmless journey is the same with and without a policy."""
    scrubbed = await journey(tmp_path / "with")
    scrub_nobody(monkeypatch)
    plain = await journey(tmp_path / "without")
    for sink, items in plain.items():
        assert len(items) >= len(JOURNEY) - 3
        # A batch groups its spans by scope, and what falls into one batch is a matter of time.
        assert sorted(scrubbed[sink]) == sorted(items)


async def test_the_comparison_would_show_it(monkeypatch):
    """With something to hide the two differ, in every sink."""
    runs = []
    for _ in range(2):
        with listening() as wire:
            async with foreign(wire, ["mail bob@example.com"]) as running:
                for place in ("log_field", "span_attribute", "captured"):
                    await running.client.get(f"/put/{place}")
            runs.append(told(wire))
        scrub_nobody(monkeypatch)
    scrubbed, plain = runs
    assert all(scrubbed[sink] != plain[sink] for sink in SINKS)
