"""Whom to believe: decided outside the server span, which adopts whatever trace it is shown.

The instrumentation's server span wraps every user middleware, so that by the time a gateway runs, a stranger's
`traceparent` has become ours (traefik#5925) and `X-Forwarded-For` has been believed from anyone (slowapi#255).
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

from telemetry import names
from telemetry.forwarded import client_address
from telemetry.request import SCOPE_KEY, RemoteTrace, RequestRecord

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from telemetry.routes import RouteTable
    from telemetry.settings import Network, TelemetrySettings
    from telemetry.tracing import Tracing

_TRACE_HEADERS = frozenset({b"traceparent", b"tracestate", b"baggage", b"sentry-trace"})
_FORWARDING_HEADERS = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-port"}
)
_OF_INTEREST = _TRACE_HEADERS | _FORWARDING_HEADERS | {b"x-request-id"}
_REQUESTS = frozenset({"http", "websocket"})
_METHODS = frozenset(names.METHODS)
# W3C Trace Context is 55 bytes; longer ones belong to future versions and are not linked.
_TRACEPARENT_BYTES = 55


def within(networks: tuple[Network, ...], address: str) -> bool:
    """Say whether an address (text, IPv4-mapped IPv6 counts as IPv4) lies in one of the networks."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return any(ip.version == network.version and ip in network for network in networks)


class Edge:
    """Makes the request's record, resolves the client's address and takes a stranger's trace headers off.

    Args:
        app: the instrumented application, server span included.
        without_span: the same behind its server span, for the probes.
        settings: trusted proxies and untraced paths.
        routes: finds the route's template.
        tracing: gives the request a clean trace context.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        without_span: ASGIApp,
        settings: TelemetrySettings,
        routes: RouteTable,
        tracing: Tracing,
    ) -> None:
        self.app = app
        self._without_span = without_span
        self._trusted = settings.trusted_proxies
        self._is_trusted = lru_cache(maxsize=1024)(self._look_up)
        self._untraced = settings.untraced_paths
        self._resolve = routes.resolve
        self._clean_context = tracing.clean_context

    def _look_up(self, address: str) -> bool:
        return within(self._trusted, address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other scope types pass through."""
        if scope["type"] not in _REQUESTS:
            await self.app(scope, receive, send)
            return
        method = scope.get("method", "GET")  # a WebSocket begins as one
        client = scope.get("client")
        path = scope["path"]
        root_path = scope.get("root_path")
        if root_path and path.startswith(root_path):
            path = path[len(root_path) :]
        fields = scope["headers"]
        headers = dict(fields)
        record = RequestRecord(
            method if method in _METHODS else names.OTHER_METHOD,
            client[0] if client else "",
            self._resolve(method, path),
            headers,
        )
        if self._trusted:
            record.peer_trusted = self._is_trusted(record.peer)
        decoded = headers.get(b"host", b"") + headers.get(b"user-agent", b"")
        if not decoded.isascii() or len(headers) != len(fields):
            scope["headers"] = [(name, _as_text(value)) for name, value in fields]
        if not _OF_INTEREST.isdisjoint(headers):
            self._judge(scope, record)
        scope[SCOPE_KEY] = record
        app = self.app
        if path in self._untraced:
            record.probe = True
            app = self._without_span
        # Pipelined requests are started from inside the one before them: its span must not become their parent.
        with self._clean_context():
            await app(scope, receive, send)

    def _judge(self, scope: Scope, record: RequestRecord) -> None:
        found: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            if name in _OF_INTEREST:
                found.setdefault(name, []).append(value)
        record.offered_request_ids = tuple(found.pop(b"x-request-id", ()))
        record.forwarded = not _FORWARDING_HEADERS.isdisjoint(found)
        traceparents = found.get(b"traceparent", [])
        if record.peer_trusted:
            record.client = client_address(
                record.peer, found.get(b"x-forwarded-for", []), found.get(b"forwarded", []), self._is_trusted
            )
            if record.client != record.peer:
                scope["client"] = (record.client, 0)
        if _TRACE_HEADERS.isdisjoint(found):
            return
        if record.peer_trusted and len(traceparents) == 1:
            scope["headers"] = [(name, _as_text(value)) for name, value in scope["headers"]]
            return
        # Two of them are none (W3C Trace Context, 3.3.2), whoever sends them.
        scope["headers"] = [header for header in scope["headers"] if header[0] not in _TRACE_HEADERS]
        if len(traceparents) == 1 and len(traceparents[0]) == _TRACEPARENT_BYTES:
            record.remote_trace = RemoteTrace(traceparents[0].decode("latin-1"))


def _as_text(value: bytes) -> bytes:
    """Keep UTF-8, and escape what is not.

    contrib decodes `Host` and `User-Agent` in a way that raises on some other bytes, outside any handler.
    """
    try:
        value.decode()
    except UnicodeDecodeError:
        return value.decode("ascii", "backslashreplace").encode()
    return value
