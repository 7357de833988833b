"""What one connection may take, in bytes and seconds."""

import asyncio
import resource
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import httptools

from service.readiness import Readiness
from service.server.heads import status_of
from service.server.refusing import RefusingProtocol
from service.server.unread import Unread

# A head that is complete within this bound reaches the application, whose own, lower bound answers with
# a problem document. Bytes.
MAX_UNFINISHED_HEAD = 131_072
# From a head's first byte (or the connection's opening) to its last. Seconds.
HEAD_TIMEOUT = 15.0
# How long a client may read nothing of what waits for it. Seconds.
WRITE_TIMEOUT = 30.0
# `struct linger`: on, no seconds.
RESET = struct.pack("ii", 1, 0)
MAX_CONNECTIONS = 10_000
# Below this the start says so.
FEW_CONNECTIONS = 128
# For the database, the exporters, the listeners and files.
SPARE_DESCRIPTORS = 100


class BoundedProtocol(RefusingProtocol):
    """One connection. Use `bounded`, which binds what the class needs."""

    most_connections: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
        super().__init__(*args, **kwargs)
        self._unfinished = 0
        self._unread = Unread()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, if there is room; its first head is already due."""
        if len(self.connections) >= self.most_connections:
            self.turn_away(transport)
        else:
            super().connection_made(transport)
            self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Parse, and count what brings no request nearer to its end."""
        if self.refused or self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        if not self.in_body and not self.deadline.armed:
            self._expect_head()
        try:
            self.feed(data)
        except httptools.HttpParserError as error:
            self.refuse(status_of(error, bytes(self.line)))
            return
        self._unfinished = 0 if self.progressed else self._unfinished + len(data)
        if self._unfinished > MAX_UNFINISHED_HEAD:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif not self.in_body and not self.deadline.armed and not self.busy:
            # A body that ended after its answer: idle again, and uvicorn has no timer for it.
            self.deadline.arm(self.timeout_keep_alive, self.transport.close)

    def on_message_begin(self) -> None:
        """Begin a head, and its time."""
        super().on_message_begin()
        if not self.deadline.armed:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """End a head, and its time."""
        super().on_headers_complete()
        if not self.in_head:
            self.deadline.disarm()

    def on_message_complete(self) -> None:
        """End a request's bytes; the rest of a body was in time."""
        super().on_message_complete()
        if not self.in_head:
            self.deadline.disarm()

    def resume_writing(self) -> None:
        """Take note that the client reads, and let the application go on."""
        self._unread.forget()
        super().resume_writing()

    def look_after_unread(self, now: float) -> None:
        """Reset a client that has read nothing for too long; called again and again.

        Args:
            now: The loop's time.
        """
        # In any other state more may be written, and how much waits says nothing about the client.
        if not self.flow.write_paused and not self.transport.is_closing():
            self._unread.forget()
        elif self._unread.seconds(self.transport.get_write_buffer_size(), now) >= WRITE_TIMEOUT:
            self.given_up = True
            # Without this the kernel would keep what nobody reads.
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.transport.abort()

    def _expect_head(self) -> None:
        self.deadline.arm(HEAD_TIMEOUT, self._head_is_late)

    def _head_is_late(self) -> None:
        if self.busy:
            # Reading may be paused for the sake of the request that runs: the client is not to blame.
            self._expect_head()
        elif self.in_head or self._unfinished:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            # Not a byte came: a browser's spare connection, nothing that an answer belongs to.
            self.transport.close()


def most_connections() -> int:
    """Say how many connections may be open at once: each needs a file descriptor."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(min(MAX_CONNECTIONS, soft - SPARE_DESCRIPTORS), 1)


def room() -> tuple[str, ...]:
    """Say in a line that there is room for few connections, if that is so."""
    most = most_connections()
    if most >= FEW_CONNECTIONS:
        return ()
    return (f"ulimit -n: limits connections to {most} at once; 1024 or more is better",)


def bounded(invalid: Callable[[], None], process: Readiness) -> type[BoundedProtocol]:
    """Make the protocol class of one server.

    Args:
        invalid: Called for every connection that was refused because it did not speak HTTP, or was one too many.
        process: While it drains, every answer ends its connection.
    """
    limit = most_connections()

    class Protocol(BoundedProtocol):
        on_invalid = staticmethod(invalid)
        readiness = process
        most_connections = limit

    return Protocol
