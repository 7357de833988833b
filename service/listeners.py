"""The sockets to serve on, bound before anything heavy starts: a taken port is known at once."""

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress

from service.startup import StartFailedError

# Linux's, which `socket` does not name, and a filter of one instruction that lets nothing through.
_ATTACH_FILTER = 26
_NOTHING = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
_FILTER = struct.pack("HL", 1, ctypes.addressof(_NOTHING))


def bind(host: str, port: int) -> list[socket.socket]:
    """Bind every address of a host; they begin to listen only when the service is ready.

    Args:
        host: A name or an address.
        port: 0 is any free port, the same for all addresses.

    Raises:
        StartFailedError: The host is unknown or the port is taken.
    """
    bound: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            listener = socket.socket(family, kind, protocol)
            bound.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # Its IPv4 twin has an entry of its own.
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            chosen = bound[0].getsockname()[1] if len(bound) > 1 else port
            listener.bind((address[0], chosen, *address[2:]))
    except (OSError, UnicodeError) as failure:
        for listener in bound:
            listener.close()
        number = failure.errno if isinstance(failure, OSError) else None
        unknown = isinstance(failure, (socket.gaierror, UnicodeError)) or number is None
        reason = "unknown host" if unknown else os.strerror(number or 0)
        place = f"{host}:{port}" if port else host
        raise StartFailedError(f"cannot listen on {place}: {reason}; HOST and PORT move it") from failure
    return bound


def take_waiting(listeners: Iterable[socket.socket]) -> list[socket.socket]:
    """Accept whoever the kernel has accepted already, and let it accept nobody more: closing a listener resets them.

    Args:
        listeners: Sockets that listen and do not block; they are to be closed.
    """
    taken: list[socket.socket] = []
    for listener in listeners:
        # Whoever comes between the last accept and the close finds nothing, tries again, and is refused.
        if sys.platform == "linux":
            with suppress(OSError):  # a kernel without filters
                listener.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, _FILTER)
        with suppress(OSError):  # nobody waits, or there is no descriptor for more
            while True:
                taken.append(listener.accept()[0])
    return taken
