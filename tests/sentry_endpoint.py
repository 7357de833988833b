"""A local Sentry: keeps the envelopes that an SDK sent, byte by byte, and gives them parsed."""

import gzip
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.patience import PATIENCE

Item = tuple[dict[str, Any], bytes]


@dataclass
class SentryEndpoint:
    """Listens on a free loopback port; a context manager. What came is parsed when it is asked for."""

    _posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._changed = threading.Condition()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                encoding = self.headers.get("content-encoding", "")
                assert encoding in {"", "gzip"}, encoding
                headers = {"path": self.path, **{key.lower(): value for key, value in self.headers.items()}}
                with endpoint._changed:
                    endpoint._posts.append((headers, gzip.decompress(body) if encoding else body))
                    endpoint._changed.notify_all()
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
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
    def dsn(self) -> str:
        """What SENTRY_DSN is to be."""
        return f"http://key@127.0.0.1:{self._server.server_port}/1"

    def wait(self, envelopes: int, seconds: float = PATIENCE) -> None:
        """Wait until so many envelopes have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._posts) >= envelopes, seconds), len(self._posts)

    def bodies(self) -> list[bytes]:
        """Every body so far, gunzipped."""
        with self._changed:
            return [body for _, body in self._posts]

    def requests(self) -> list[dict[str, str]]:
        """The HTTP headers of every request so far, its path among them."""
        with self._changed:
            return [headers for headers, _ in self._posts]

    def envelopes(self) -> list[tuple[dict[str, Any], list[Item]]]:
        """Every envelope so far: its headers, and of each item header and payload."""
        return [_parsed(body) for body in self.bodies()]

    def payloads(self, kind: str) -> list[Any]:
        """The payloads of every item of one type (`event`, `transaction`, `log`, …) so far."""
        return [
            json.loads(payload)
            for _, items in self.envelopes()
            for header, payload in items
            if header.get("type") == kind
        ]


def _parsed(body: bytes) -> tuple[dict[str, Any], list[Item]]:
    line, _, rest = body.partition(b"\n")
    items = []
    while rest.strip(b"\n"):
        head, _, rest = rest.partition(b"\n")
        header = json.loads(head)
        length = header.get("length")
        if length is None:
            payload, _, rest = rest.partition(b"\n")
        else:
            payload, rest = rest[:length], rest[length:].removeprefix(b"\n")
        items.append((header, payload))
    return json.loads(line), items
