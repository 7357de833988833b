"""What is known of the request that is being served: one record, from the edge to the access event."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from telemetry.middleware import Clock

SCOPE_KEY = "telemetry.request"


@dataclass(frozen=True, slots=True)
class RemoteTrace:
    """Trace headers of a caller that is not believed: linked, never continued."""

    traceparent: str


class RequestRecord:
    """Facts of one request, filled in on its way through the layers.

    Attributes:
        started: `perf_counter` seconds at which the request's head was there.
        method: a known method or `_OTHER`.
        route: the route's template, known before routing, or `unmatched`.
        peer: address of the other end of the connection.
        client: address of the client, by what a trusted proxy says, else the peer's.
        peer_trusted: whether the peer is a trusted proxy.
        forwarded: whether the request carries `Forwarded` or `X-Forwarded-*`.
        offered_request_ids: the `X-Request-ID` headers as they came.
        remote_trace: the trace of a caller that is not believed.
        request_id: the id of this request.
        trace_id, span_id: 32 and 16 hex digits of the server span, or None.
        sampled: whether the span is recorded.
        principal: the raw subject of the caller; a pseudonym wherever it is shown.
        rate_limit: outcome of the rate limit, or None where none applies.
        response_headers: header fields to add to whatever response leaves.
        status: status of the response, 499 when the client left first, 0 while there is none.
        rejection: the (layer, reason) that answered in the handler's place.
        refused_by: the (policy, limit) that refused the request, each of a bounded set, or None where none did.
        error_type: a class's name or a slug of what made it fail, or None.
        headers: the request's header fields by name, the last of each.
        clock: what measures the layers' own times.
    """

    __slots__ = (
        "client", "clock", "error_type", "forwarded", "headers", "method", "offered_request_ids", "peer",
        "peer_trusted", "principal", "probe", "rate_limit", "refused_by", "rejection", "remote_trace", "request_id",
        "response_headers", "route", "sampled", "span_id", "started", "status", "trace_id",
    )  # fmt: skip

    def __init__(self, method: str, peer: str, route: str, headers: dict[bytes, bytes]) -> None:
        self.started = perf_counter()
        self.method = method
        self.peer = self.client = peer
        self.route = route
        self.headers = headers
        self.peer_trusted = self.forwarded = self.sampled = self.probe = False
        self.offered_request_ids: tuple[bytes, ...] = ()
        self.remote_trace: RemoteTrace | None = None
        self.request_id = ""
        self.trace_id: str | None = None
        self.span_id: str | None = None
        self.principal: str | None = None
        self.rate_limit: str | None = None
        self.response_headers: list[tuple[bytes, bytes]] = []
        self.status = 0
        self.rejection: tuple[str, str] | None = None
        self.refused_by: tuple[str, str] | None = None
        self.error_type: str | None = None
        self.clock: Clock | None = None

    @property
    def traceparent(self) -> str | None:
        """Where the work on this request can be followed (W3C Trace Context), or None without a server span."""
        if self.trace_id is None:
            return None
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def reject(self, layer: str, reason: str) -> None:
        """Say that a layer answers by itself.

        Args:
            layer: the layer's name.
            reason: why, one of a bounded set.
        """
        self.rejection = (layer, reason)


def current_request(scope: MutableMapping[str, Any]) -> RequestRecord:
    """Give the record of the request behind an ASGI scope.

    Raises:
        KeyError: the application is not instrumented.
    """
    record: RequestRecord = scope[SCOPE_KEY]
    return record
