"""The service under an audit hook: every connection and look-up of the process is written down, to its very end."""

import os
import sys
from typing import Any

WATCHED = frozenset(
    {
        "socket.connect",
        "socket.sendto",
        "socket.sendmsg",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "socket.getnameinfo",
    }
)
_told = os.open(os.environ.pop("AUDIT_FILE"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event in WATCHED:
        # What is connected is the first argument of some events and not of others; a socket says nothing.
        peer = arguments[1] if event.startswith(("socket.connect", "socket.send")) else arguments[:2]
        os.write(_told, f"{event} {peer!r}\n".encode())


# Before anything else is imported: an import may connect too.
sys.addaudithook(_hook)

if __name__ == "__main__":
    from tests.leaks.real import add_leaky_routes
    from tests.story_service import run

    sys.exit(run(add_leaky_routes))
