"""Standard output and standard error, which may be closed or full: one line where it can be said, no traceback."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn, TextIO


class OutputError(Exception):
    """What was asked for cannot be written; the text says why, in one line."""


def require() -> None:
    """See that both are open: what the service opens next would get their descriptors, and their lines.

    Raises:
        OutputError: One is closed.
    """
    for name, stream in (("standard output", sys.stdout), ("standard error", sys.stderr)):
        if stream is None:
            raise OutputError(name + " is closed")


def put(result: bytes) -> None:
    """Write a result.

    Raises:
        BrokenPipeError: Its reader has gone.
        OutputError: It cannot be written.
    """
    try:
        sys.stdout.buffer.write(result)
    except BrokenPipeError:
        raise
    except OSError as failure:
        raise _unwritten(failure) from failure
    settle()


def say(text: str) -> None:
    """Write lines for people to standard error, or where there is none to standard output; best effort."""
    stream = sys.stderr if sys.stderr is not None else sys.stdout
    if stream is None:
        return
    try:
        stream.write(text + "\n")
        stream.flush()
    except OSError:
        discard(stream)


def settle() -> None:
    """Write out what is buffered: at its exit the interpreter would do it, with a traceback.

    Raises:
        BrokenPipeError: The reader of standard output has gone.
        OutputError: Standard output cannot be written.
    """
    try:
        sys.stderr.flush()
    except OSError:
        discard(sys.stderr)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as failure:
        raise _unwritten(failure) from failure


def leave(status: int) -> NoReturn:
    """End the process at once, after a service has stopped: all is closed and flushed.

    A thread of an exporter that was given up may still be in native code. The interpreter's own end would abort the
    process there (exit status -6), after looking through all objects for a second.
    """
    os._exit(status)


def discard(stream: TextIO) -> None:
    """Send what a stream has buffered, and all that follows, nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _unwritten(failure: OSError) -> OutputError:
    discard(sys.stdout)
    return OutputError("standard output: " + os.strerror(failure.errno or 0))
