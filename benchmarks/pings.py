"""Asks a port for `/healthz` again and again, and prints the longest answer: `python -m benchmarks.pings PORT SECONDS`.

A process of its own, with nothing else to do: what it sees of a server's event loop is not its own lateness.
"""

from __future__ import annotations

import socket
import sys
from time import perf_counter, sleep

INTERVAL = 0.005
_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def longest(port: int, seconds: float) -> float:
    """Give the longest time to an answer: seconds."""
    most = 0.0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ends = perf_counter() + seconds
        while (began := perf_counter()) < ends:
            connection.sendall(_REQUEST)
            connection.recv(65_536)
            took = perf_counter() - began
            most = max(most, took)
            sleep(max(INTERVAL - took, 0))
    return most


if __name__ == "__main__":
    print(longest(int(sys.argv[1]), float(sys.argv[2])))
