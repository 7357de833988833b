"""`python -m telemetry.pii`: hands over to `telemetry.pii.commands`, and ends quietly when its reader does."""

import io
import sys

from telemetry.command_line import refused, run

_PROGRAM = "telemetry.pii"


def main(arguments: list[str]) -> int:
    """Run one command.

    Args:
        arguments: those of the command line, without the program.
    """
    return run(_PROGRAM, lambda: _execute(arguments))


def _execute(arguments: list[str]) -> int:
    if sys.stdin is None and arguments[:1] == ["scrub"]:
        return refused(_PROGRAM, "standard input is closed")
    from telemetry.pii.commands import execute  # noqa: PLC0415 - a part that is missing is said in one line

    return execute(arguments, sys.stdin.buffer if sys.stdin else io.BytesIO(), sys.stdout.buffer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
