"""What the collector sends to: Jaeger's OTLP over gRPC and Loki's over HTTP, which take, refuse or are slow."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_LARGEST = 64 << 20
HEALTHY, REFUSING, SLOW = "healthy", "refusing", "slow"
KINDS = (HEALTHY, REFUSING, SLOW)


class Backends:
    """Both of them; a context manager.

    Args:
        kind: one of `KINDS`, at first.
        slow_seconds: what a slow one takes for each request.
    """

    def __init__(self, kind: str = HEALTHY, slow_seconds: float = 1.0) -> None:
        self.kind, self._slow_seconds = kind, slow_seconds
        self._ended = threading.Event()
        self._changed = threading.Condition()
        self.spans: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        self.refused = 0

    def __enter__(self) -> Self:
        backends = self

        class Loki(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                # What is no log, which is metrics, is taken and forgotten.
                taken = backends.take(body if self.path.endswith("/v1/logs") else b"", backends.keep_records)
                self.send_response(200 if taken else 503)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_args: object) -> None:
                """Say nothing of a sender that was killed."""

        self._http = Server(("127.0.0.1", 0), Loki)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self._pool = ThreadPoolExecutor(4)
        limits = [("grpc.max_receive_message_length", _LARGEST), ("grpc.so_reuseport", 0)]
        self._grpc = grpc.server(self._pool, handlers=(_Jaeger(self),), options=limits)
        self._port = self._grpc.add_insecure_port("127.0.0.1:0")
        self._grpc.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        self._grpc.stop(0).wait()
        self._pool.shutdown()

    @property
    def environment(self) -> dict[str, str]:
        """What tells the collector where they are."""
        url = f"http://127.0.0.1:{self._http.server_port}"
        return {"JAEGER_OTLP": f"127.0.0.1:{self._port}", "LOKI_URL": url, "PROMETHEUS_URL": url}

    def take(self, body: bytes, keep: Callable[[bytes], None]) -> bool:
        """Say whether a request is taken, after the time that it takes."""
        if self.kind == SLOW:
            self._ended.wait(self._slow_seconds)
        with self._changed:
            if taken := self.kind != REFUSING:
                keep(body)
            else:
                self.refused += 1
            self._changed.notify_all()
        return taken

    def keep_spans(self, body: bytes) -> None:
        """Count spans by their ids."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans.update(span.span_id.hex() for span in scope.spans)

    def keep_records(self, body: bytes) -> None:
        """Count log records by the span ids that they carry."""
        for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
            for scope in resource.scope_logs:
                self.records.update(record.span_id.hex() for record in scope.log_records)

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until something holds, which is asked whenever a request came; say whether it does."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)


class _Jaeger(grpc.GenericRpcHandler):
    def __init__(self, backends: Backends) -> None:
        self._backends = backends

    def service(self, called: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(self._export) if called.method == _EXPORT else None

    def _export(self, body: bytes, context: grpc.ServicerContext) -> bytes:
        if not self._backends.take(body, self._backends.keep_spans):
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        return ExportTraceServiceResponse().SerializeToString()
