# ruff: noqa: PLC0415, T201 - a program: it imports what the app has started, and prints its report
"""Runs in the other environment: serves one request to the app of the README's example and reports what came out.

`driver.py EXAMPLE` prints one JSON object on stderr; the app's own lines go to stdout.
"""

import asyncio
import importlib.util
import json
import sys


async def call(app, path, headers=()):
    """Send a GET; return status, header fields and body."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"example.test"), *headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    fields = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], fields, b"".join(message.get("body", b"") for message in sent[1:]).decode()


async def main():
    """Run the app's life: start, one request, one scrape, stop."""
    spec = importlib.util.spec_from_file_location("example", sys.argv[1])
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    app = example.app
    path = next(route.path for route in app.routes if getattr(route, "endpoint", None).__module__ == "example")

    to_app, from_app = asyncio.Queue(), asyncio.Queue()
    lifespan = asyncio.ensure_future(
        app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, to_app.get, from_app.put)
    )
    await to_app.put({"type": "lifespan.startup"})
    assert (await from_app.get())["type"] == "lifespan.startup.complete"

    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans = InMemorySpanExporter()
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(spans))

    status, headers, _body = await call(app, path)
    _, _, metrics = await call(app, "/metrics", [(b"accept", b"application/openmetrics-text")])
    await to_app.put({"type": "lifespan.shutdown"})
    await from_app.get()
    await lifespan
    report = {
        "path": path,
        "status": status,
        "headers": headers,
        "metrics": metrics,
        "spans": [
            {
                "name": span.name,
                "kind": span.kind.name,
                "trace_id": f"{span.context.trace_id:032x}",
                "span_id": f"{span.context.span_id:016x}",
            }
            for span in spans.get_finished_spans()
        ],
    }
    print(json.dumps(report), file=sys.stderr)


asyncio.run(main())
