"""Bare answers: to what is not HTTP, and to one client too many."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from service.server.closing import ClosingProtocol

# Of what comes without end, or too slowly, nothing more is read.
_IMPATIENT = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE})


class RefusingProtocol(ClosingProtocol):
    """A connection that can be refused."""

    on_invalid: Callable[[], None]

    def refuse(self, status: HTTPStatus) -> None:
        """Answer what is not HTTP with a bare status and close, after what was asked properly before it."""
        self.on_invalid()
        self.deadline.disarm()
        self.pipeline.clear()
        active = self.active
        if active is None or active.response_complete:
            self._send_bare(status)
        elif active is self.cycle and active.more_body:
            # The fault is in the body of a request that is being served: nothing can be made of it.
            if not active.response_started:
                self._send_bare(status)
            self.disconnect()
        else:
            self.refused = True
            active.keep_alive = False
            self.flow.pause_reading()
            return
        if status in _IMPATIENT:
            self.refused = True
            self.transport.close()
        else:
            self.linger()

    def turn_away(self, transport: asyncio.Transport) -> None:
        """Refuse a connection before anything is kept of it."""
        self.on_invalid()
        self.refused = True
        self.transport = transport
        self._send_bare(HTTPStatus.SERVICE_UNAVAILABLE, (b"retry-after", b"1"))
        # At once: whoever floods the service would hold the descriptors that are left.
        transport.close()

    def _send_bare(self, status: HTTPStatus, *more: tuple[bytes, bytes]) -> None:
        body = f"{status.value} {status.phrase}\n".encode("ascii")
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode("ascii")),
            *more,
            (b"connection", b"close"),
        ]
        lines = [name + b": " + value + b"\r\n" for name, value in headers]
        self.transport.write(b"".join((STATUS_LINE[status], *lines, b"\r\n", body)))
