"""`python -m service`: says plainly what is missing, then hands over to `service.commands`."""

import gc
import logging
import os
import signal
import sys
from types import FrameType

from service import streams

SUPPORTED = {(3, 11), (3, 12), (3, 13), (3, 14)}
_INTERRUPTED = 130


def _stop_at_once(_signal: int, _frame: FrameType | None) -> None:
    # Nothing is open yet that would want closing; an exception could surface in the middle of an import.
    os._exit(0)


def main(arguments: list[str]) -> int:
    """Run one command.

    Args:
        arguments: Those of the command line, without the program.
    """
    if sys.version_info[:2] not in SUPPORTED:
        version = ".".join(str(part) for part in sys.version_info[:2])
        streams.say("service: Python 3.11 to 3.14 is needed, this is " + version)
        return 1
    if arguments[:1] == ["run"]:
        # Until it has started: nearly all that is made by then is kept, and was looked through five times.
        gc.disable()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _stop_at_once)
    # The SDK reads some of our settings when it is imported, and complains in its own words: one line is enough.
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    try:
        streams.require()
        from service.commands import execute  # noqa: PLC0415 - after the version has been looked at

        try:
            return execute(arguments, os.environ)
        finally:
            streams.settle()
    except streams.OutputError as failure:
        streams.say(f"service: {failure}")
        return 1
    except ModuleNotFoundError as missing:
        streams.say(f"service: {missing}: use `make run`, or pip install -r requirements.lock")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more when it flushes at exit.
        streams.discard(sys.stdout)
        return 1


if __name__ == "__main__":
    status = main(sys.argv[1:])
    if sys.argv[1:2] == ["run"]:
        streams.leave(status)
    sys.exit(status)
