"""`python -m telemetry.collector`: renders the policy into the collector's configuration, or compares the two."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from telemetry.collector.document import DocumentError, with_blocks
from telemetry.collector.rendering import blocks
from telemetry.command_line import put, refused, run
from telemetry.pii import PolicyError, load

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONFIGURATION = Path("otel-collector.yaml")
_PROGRAM = "telemetry.collector"


def main(arguments: Sequence[str]) -> int:
    """Run one command and give its exit status: 0 done, 1 refused or not current, 2 misused.

    Args:
        arguments: those of the command line, without the program.
    """
    return run(_PROGRAM, lambda: _execute(arguments))


def _execute(arguments: Sequence[str]) -> int:
    asked = _parse(arguments)
    try:
        before = asked.file.read_text(encoding="utf-8")
        after = with_blocks(before, blocks(load(*asked.policy).compiled))
        if asked.command == "render" and asked.write:
            asked.file.write_text(after, encoding="utf-8")
    except (OSError, UnicodeDecodeError, DocumentError) as refusal:
        return refused(_PROGRAM, f"{asked.file}: {_reason(refusal)}")
    except PolicyError as refusal:
        return refused(_PROGRAM, str(refusal))
    if asked.command == "check" and before != after:
        remedy = shlex.join(["python", "-m", _PROGRAM, "render", "--write", *arguments[1:]])
        return refused(_PROGRAM, f"{asked.file} is not what the policy says: {remedy}")
    if asked.command == "check":
        put(f"{asked.file}: current\n".encode("utf-8", "backslashreplace"))
    elif not asked.write:
        put(after.encode())
    return 0


def _reason(refusal: Exception) -> str:
    if isinstance(refusal, OSError):
        return refusal.strerror or "it cannot be read"
    return "it is not UTF-8" if isinstance(refusal, UnicodeDecodeError) else str(refusal)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m telemetry.collector", description="The privacy policy as the collector's processors."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    rendering = commands.add_parser("render", help="print the configuration with what the policy says now")
    rendering.add_argument("--write", action="store_true", help="write it to the file instead")
    checking = commands.add_parser("check", help="say whether the configuration is what the policy says")
    for command in (rendering, checking):
        command.add_argument(
            "--file", type=Path, default=_CONFIGURATION, metavar="FILE", help=f"default: {_CONFIGURATION}"
        )
        command.add_argument(
            "--policy",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="a policy file beside the built-in one, as of PII_POLICY_FILES; may be given again",
        )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
