"""What stands around a command: an output that is closed or full, a reader that has gone, and what is missing."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_INTERRUPTED = 130


def run(program: str, command: Callable[[], int]) -> int:
    """Run a command and give its exit status; what it cannot help is one line and 1, or nothing if nobody reads.

    Args:
        program: its name, with which the line begins.
        command: writes to standard output, and gives its own exit status.

    Raises:
        SystemExit: the command's own.
    """
    if sys.stdout is None:
        return refused(program, "standard output is closed")
    try:
        try:
            return command()
        finally:
            # At its exit the interpreter would do it, with a traceback.
            sys.stdout.flush()
    except ModuleNotFoundError as missing:
        return refused(program, f"{missing}: use `make run`, or pip install -r requirements.lock")
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more when it flushes at exit.
        _discard_output()
        return 1
    except OSError as failure:
        _discard_output()
        return refused(program, f"cannot go on: {failure.strerror}")


def put(result: bytes) -> None:
    """Write a result to standard output, all of it: without a buffer, Python may write a part and say so.

    Args:
        result: of any length.
    """
    rest = memoryview(result)
    while rest:
        rest = rest[sys.stdout.buffer.write(rest) :]


def refused(program: str, reason: str) -> int:
    """Say in one line why a command was not done, and give its exit status.

    Args:
        program: as of `run`.
        reason: the rest of the line.
    """
    if sys.stderr is not None:
        sys.stderr.write(f"{program}: {reason}\n")
    return 1


def _discard_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
