"""A local HTTP endpoint that keeps what is sent to it: OTLP exports or Sentry envelopes."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.patience import time_to_flush


class Receiver(ThreadingHTTPServer):
    """Keeps each POST; `status`, `answer_headers` and `answer` are what it answers."""

    daemon_threads = True

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.answer_headers: dict[str, str] = {}
        self.answer = b""
        self.posts: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def _resources(self, path: str, kind: type[Message], part: str) -> list[Any]:
        found = []
        for seen, _, body in self.posts:
            if seen == path:
                found += getattr(kind.FromString(body), part)
        return found

    @property
    def spans(self) -> list[Any]:
        """The spans that came over OTLP."""
        groups = self._resources("/v1/traces", ExportTraceServiceRequest, "resource_spans")
        return [span for group in groups for scope in group.scope_spans for span in scope.spans]

    @property
    def span_resources(self) -> list[dict[str, Any]]:
        """The resources of the spans that came."""
        groups = self._resources("/v1/traces", ExportTraceServiceRequest, "resource_spans")
        return [attributes(group.resource) for group in groups]

    @property
    def logs(self) -> list[tuple[str, Any]]:
        """The log records that came over OTLP, each with the name of its scope."""
        groups = self._resources("/v1/logs", ExportLogsServiceRequest, "resource_logs")
        return [
            (scope.scope.name, record) for group in groups for scope in group.scope_logs for record in scope.log_records
        ]

    @property
    def envelope_items(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """The items of the Sentry envelopes that came: the item's header and its payload."""
        items = []
        for _, _, body in self.posts:
            lines = body.split(b"\n")
            for header, payload in zip(lines[1::2], lines[2::2], strict=False):
                items.append((json.loads(header), json.loads(payload)))
        return items


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        encoding = self.headers.get("content-encoding", "")
        if encoding == "gzip":
            body = gzip.decompress(body)
        elif encoding == "deflate":
            body = zlib.decompress(body)
        assert encoding in {"", "gzip", "deflate"}, encoding
        self.server.posts.append((self.path, {key.lower(): value for key, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        for name, value in {"content-length": str(len(self.server.answer)), **self.server.answer_headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def receiving(status: int = 200) -> Iterator[Receiver]:
    """Run a receiver for the length of a `with`."""
    receiver = Receiver(status)
    thread = threading.Thread(target=receiver.serve_forever, args=(0.02,))
    thread.start()
    try:
        with time_to_flush():
            yield receiver
    finally:
        receiver.shutdown()
        thread.join()
        receiver.server_close()


@contextmanager
def silent_endpoint() -> Iterator[str]:
    """An endpoint that accepts connections and never answers; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def exporter_threads() -> list[threading.Thread]:
    """The threads of this process that export."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("OtelBatch")]


def attributes(message: Any) -> dict[str, Any]:
    """An OTLP message's attributes as Python values."""
    return {pair.key: _plain(pair.value) for pair in message.attributes}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "kvlist_value":
        return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
    if kind == "array_value":
        return [_plain(each) for each in value.array_value.values]
    return None if kind is None else getattr(value, kind)
