"""A local OTLP/HTTP receiver: keeps what an exporter sent, parsed with the protocol's own classes."""

import gzip
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """A span as it came; ids are lower-case hex, `links` are (trace id, span id), times are nanoseconds."""

    name: str
    server: bool
    trace_id: str
    span_id: str
    parent_span_id: str
    trace_state: str
    started: int
    ended: int
    attributes: dict[str, Any]
    links: list[tuple[str, str]]
    events: list[str]
    status: int


@dataclass(frozen=True, slots=True)
class ReceivedRecord:
    """A log record as it came."""

    event: str
    trace_id: str
    span_id: str
    attributes: dict[str, Any]


@dataclass
class OtlpReceiver:
    """Listens on a free loopback port; a context manager. What came is parsed when it is asked for."""

    _posts: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                encoding = self.headers.get("content-encoding", "")
                assert encoding in {"", "gzip"}, encoding
                headers = {key.lower(): value for key, value in self.headers.items()}
                with receiver._changed:
                    receiver._posts.append((self.path, headers, gzip.decompress(body) if encoding else body))
                    receiver._changed.notify_all()
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT is to be."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def requests(self) -> list[tuple[str, dict[str, str], bytes]]:
        """Every request so far, whatever its path: path, HTTP headers, body (gunzipped)."""
        with self._changed:
            return list(self._posts)

    def _received(self, path: str) -> list[bytes]:
        return [body for sent_to, _, body in self.requests() if sent_to == path]

    @property
    def spans(self) -> list[ReceivedSpan]:
        """Every span so far."""
        return [
            _span(span)
            for body in self._received("/v1/traces")
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def server_spans(self) -> list[ReceivedSpan]:
        """Every span of a request so far."""
        return [span for span in self.spans if span.server]

    @property
    def records(self) -> list[ReceivedRecord]:
        """Every log record so far."""
        return [
            ReceivedRecord(
                record.event_name, record.trace_id.hex(), record.span_id.hex(), _attributes(record.attributes)
            )
            for body in self._received("/v1/logs")
            for resource in ExportLogsServiceRequest.FromString(body).resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]


def _span(span: Span) -> ReceivedSpan:
    return ReceivedSpan(
        name=span.name,
        server=span.kind == Span.SPAN_KIND_SERVER,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        trace_state=span.trace_state,
        started=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        events=[event.name for event in span.events],
        status=span.status.code,
    )


def _attributes(pairs: list[KeyValue]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return None if kind is None else getattr(value, kind)
