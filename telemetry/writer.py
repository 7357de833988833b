"""Writes log lines from a thread of its own.

A reader of standard output that stops (a full pipe, a stuck log driver) would otherwise stop the event loop
with it. The queue is bounded; what does not fit is dropped and counted.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from itertools import accumulate
from time import sleep
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from collections.abc import Callable

CAPACITY_LINES = 20_000
# How long a line may wait. The thread looks by itself: waking it would cost each request more than its line does.
_LOOK_SECONDS = 0.05


def standard_output() -> BinaryIO:
    """Give standard output without its buffer.

    A thread that is stuck in a write holds the buffer's lock, and the interpreter aborts when it wants to flush
    that buffer at its end. Where there is no file descriptor (a test's capture) the buffer is all there is.
    """
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return sys.stdout.buffer
    return cast("BinaryIO", open(descriptor, "wb", buffering=0, closefd=False))


class LineWriter:
    """A bounded queue of lines and the thread that writes them.

    Args:
        stream: where the lines go; written and flushed by this object's thread only.
        dropped: told how many lines were lost and why (`queue_full`, `export_failed`).
    """

    def __init__(self, stream: BinaryIO, dropped: Callable[[str, int], None]) -> None:
        self._stream = stream
        self._dropped = dropped
        self._lines: deque[bytes] = deque()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry-log-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Number of lines not yet written."""
        return len(self._lines)

    def write(self, line: bytes) -> None:
        """Queue one line (its newline included); never blocks."""
        if len(self._lines) >= CAPACITY_LINES:
            self._dropped("queue_full", 1)
            return
        self._lines.append(line)

    def close(self, timeout: float) -> None:
        """Write what waits and end, within `timeout` seconds."""
        self._closing.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._closing.wait(_LOOK_SECONDS):
            self._drain()
        self._drain()

    def _drain(self) -> None:
        while count := len(self._lines):
            lines = [self._lines.popleft() for _ in range(count)]
            rest = memoryview(b"".join(lines))
            try:
                while rest:
                    written = self._stream.write(rest)
                    if written is None:  # a pipe that does not block, and is full
                        sleep(_LOOK_SECONDS)
                    else:
                        rest = rest[written:]
                self._stream.flush()
            except (OSError, ValueError):  # the reader has gone, or the stream was closed
                # A line is lost unless it and all before it got out: what follows it is then all that is left.
                following = accumulate(map(len, reversed(lines)), initial=0)
                self._dropped("export_failed", sum(size < len(rest) for size in following))
