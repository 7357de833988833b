"""Ports that nobody else is given while they are held."""

import socket


class Ports:
    """Free loopback ports: a program that sets SO_REUSEADDR, as Go's do, may listen on them, others are not given them.

    Args:
        names: what each is for.
    """

    def __init__(self, *names: str) -> None:
        self._held = {name: socket.socket() for name in names}
        for held in self._held.values():
            # Bound and not listening: the kernel gives it to nobody who asks for any port, and lets a listener in.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(("127.0.0.1", 0))

    def __getitem__(self, name: str) -> int:
        return self._held[name].getsockname()[1]

    def release(self) -> None:
        """Let go of all of them."""
        for held in self._held.values():
            held.close()
