"""HTTP/1.1 with bounds: what uvicorn's protocol lets a client hold on to, this one does not.

httptools bounds neither the bytes of a head nor the time it takes (RFC 9112 leaves both to the server),
a trailer can change the headers of a request that was judged already, and pipelined requests are read
for as long as the first one waits. What is not HTTP is answered with a bare status, counted and kept
out of the log; what is HTTP is the application's.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from service.readiness import Readiness, State

# A head that is complete within this bound reaches the application, whose own, lower bound answers with
# a problem document. Bytes.
MAX_UNFINISHED_HEAD = 131_072
# From a head's first byte (or the connection's opening) to its last. Seconds.
HEAD_TIMEOUT = 15.0
# How long the rest of a body is read and thrown away once its request was answered: closing at once
# would reset the connection, and the client would never see the answer. Seconds.
LINGER = 5.0


class _Flow(FlowControl):
    """Reads no more while a pipelined request waits: whoever sends on fills his own buffers, not ours."""

    def __init__(self, protocol: "BoundedProtocol", transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._protocol = protocol

    def resume_reading(self) -> None:
        """Read on, unless what would be read could not be served."""
        if not self._protocol.pipeline and not self._protocol.refused:
            super().resume_reading()


class _Closer:
    """A request's view of the transport: closing lets the client finish its body, and see the answer.

    A socket closed with unread bytes resets the connection, and the reset can overtake the answer
    (RFC 9112 section 9.6).
    """

    def __init__(self, protocol: "BoundedProtocol", cycle: RequestResponseCycle) -> None:
        self._protocol = protocol
        self._cycle = cycle
        self.write = protocol.transport.write
        self.is_closing = protocol.transport.is_closing

    def close(self) -> None:
        """Close now, or as soon as the client has sent what it is sending."""
        self._protocol.close_after(self._cycle)


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Use `bounded`, which binds what the class needs.

    Attributes:
        refused: Nothing more is taken from this connection: it did not speak HTTP, or it is at its end.
    """

    on_invalid: Callable[[], None]
    readiness: Readiness

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
        super().__init__(*args, **kwargs)
        # uvicorn asks whether the access logger has handlers; every logger's records go to telemetry.
        self.access_log = self.config.access_log
        self.refused = False
        self._active: RequestResponseCycle | None = None
        self._in_head = False
        self._in_body = False
        self._progressed = False
        self._unfinished = 0
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        """Say whether a request waits for its answer, or for the end of it."""
        return self._active is not None and not self._active.response_complete

    # The transport's side

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; its first head is already due."""
        super().connection_made(transport)
        self.flow = _Flow(self, transport)
        self._arm(HEAD_TIMEOUT, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything, and tell the request that runs."""
        self._disarm()
        self.pipeline.clear()
        # uvicorn tells the newest request only; with pipelining another one is running.
        if self._active is not None and not self._active.response_complete:
            self._active.disconnected = True
            self._active.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and count what brings no request nearer to its end."""
        if self.refused or self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        self._progressed = False
        if not self._in_body and self._deadline is None:
            self._arm(HEAD_TIMEOUT, self._head_is_late)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.refuse(HTTPStatus.BAD_REQUEST)
            return
        self._unfinished = 0 if self._progressed else self._unfinished + len(data)
        if self._unfinished > MAX_UNFINISHED_HEAD:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._in_body:
            self.cycle.transport = cast("asyncio.Transport", _Closer(self, self.cycle))
        elif self._deadline is None and not self.busy:
            # A body that ended after its answer: idle again, and uvicorn has no timer for it.
            self._arm(self.timeout_keep_alive, self.transport.close)

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # Nothing is upgraded here (RFC 9110 section 7.8). The parser takes the body for the new protocol,
                # and what it skips would be the next request: the head is read again, without the offer.
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        method = self.parser.get_method()
        if method == b"CONNECT":
            raise httptools.HttpParserError("a tunnel, with or without an offer")
        lines = [method + b" " + self.url + b" HTTP/1.1"]
        for name, value in self.headers:
            kept = value
            if name == b"connection":
                kept = b", ".join(token for token in map(bytes.strip, value.split(b",")) if token.lower() != b"upgrade")
            if name != b"upgrade" and (kept or not value):
                lines.append(name + b": " + kept)
        return b"\r\n".join(lines) + b"\r\n\r\n"

    # The parser's side

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._in_head = True
        if self._deadline is None:
            self._arm(HEAD_TIMEOUT, self._head_is_late)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, but no trailer."""
        # A trailer would join the headers that the layers have judged already (RFC 9110 section 6.5.1).
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End a head; uvicorn starts or queues its request."""
        if self.parser.should_upgrade():
            return
        self._in_head = False
        self._in_body = True
        self._progressed = True
        self._disarm()
        super().on_headers_complete()
        if self.readiness.state is State.DRAINING:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._progressed = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request's bytes."""
        if self.parser.should_upgrade():
            return
        self._in_body = False
        self._progressed = True
        self._disarm()
        super().on_message_complete()

    # The application's side

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._active = cycle
        super()._start_asgi_task(cycle, _ends_quietly(cycle, app))

    def on_response_complete(self) -> None:
        """Take up the next request, or wait for it."""
        super().on_response_complete()
        if self.busy or self.transport.is_closing():
            return
        # uvicorn resumes before it has taken the last request out of the queue.
        self.flow.resume_reading()
        if self._in_body and self._deadline is None:
            self._arm(LINGER, self.transport.close)

    def close_after(self, cycle: RequestResponseCycle) -> None:
        """End the connection with this request's answer, once the rest of its body is out of the way."""
        if not self._in_body or cycle is not self.cycle:
            self.transport.close()
        elif not self.refused:
            self.refused = True
            self.transport.write_eof()
            FlowControl.resume_reading(self.flow)
            self._arm(LINGER, self.transport.close)

    def refuse(self, status: HTTPStatus) -> None:
        """Answer what is not HTTP with a bare status and close, after what was asked properly before it."""
        self.on_invalid()
        self.refused = True
        self._disarm()
        self.pipeline.clear()
        active = self._active
        if active is None or active.response_complete:
            self._send_bare(status)
        elif active is self.cycle and active.more_body:
            # The fault is in the body of a request that is being served: nothing can be made of it.
            if not active.response_started:
                self._send_bare(status)
            self.transport.close()
        else:
            active.keep_alive = False
            self.flow.pause_reading()

    def _send_bare(self, status: HTTPStatus) -> None:
        body = f"{status.value} {status.phrase}\n".encode("ascii")
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode("ascii")),
            (b"connection", b"close"),
        ]
        lines = [name + b": " + value + b"\r\n" for name, value in headers]
        self.transport.write(b"".join((STATUS_LINE[status], *lines, b"\r\n", body)))
        self.transport.close()

    # The server's side

    def drain(self) -> None:
        """Say with the last answer to what has come that the connection ends; what comes now is told anyway."""
        # The newest request stands at the left of the queue; those before it must not close.
        last = self.pipeline[0][0] if self.pipeline else self._active
        # A client that has begun to read an answer without `Connection: close` may already be writing.
        if last is not None and not last.response_started:
            last.keep_alive = False

    def shutdown(self) -> None:
        """Close the connection now if nobody waits for an answer on it, else after the last one."""
        if self.busy:
            self.cycle.keep_alive = False
        else:
            self.transport.close()

    # Time

    def _arm(self, seconds: float, then: Callable[[], None]) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, then)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _head_is_late(self) -> None:
        self._deadline = None
        if self.busy:
            # Reading may be paused for the sake of the request that runs: the client is not to blame.
            self._arm(HEAD_TIMEOUT, self._head_is_late)
        elif self._in_head or self._unfinished:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            # Not a byte came: a browser's spare connection, nothing that an answer belongs to.
            self.transport.close()


def bounded(invalid: Callable[[], None], process: Readiness) -> type[BoundedProtocol]:
    """Make the protocol class of one server.

    Args:
        invalid: Called for every connection that was refused because it did not speak HTTP.
        process: While it drains, every answer ends its connection.
    """

    class Protocol(BoundedProtocol):
        on_invalid = staticmethod(invalid)
        readiness = process

    return Protocol


def _ends_quietly(cycle: RequestResponseCycle, app: ASGI3Application) -> ASGI3Application:
    """End a request that the server cancelled without uvicorn's logged 500: its story says 499."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - three ASGI callables
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            # Nothing more is sent: half an answer must not look like a whole one.
            cycle.disconnected = True
            cycle.transport.close()

    return serve
