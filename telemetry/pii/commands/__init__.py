"""The command line. Results go to standard output, everything else to standard error."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from telemetry.pii.commands.explain import explain
from telemetry.pii.commands.scrub import scrub
from telemetry.pii.loading import load
from telemetry.pii.model import PolicyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.pii.scrubber import Scrubber


def execute(arguments: Sequence[str], source: BinaryIO, sink: BinaryIO) -> int:
    """Run one command and give its exit status: 0 done, 1 refused or not done in full, 2 misused.

    Args:
        arguments: those of the command line, without the program.
        source: standard input.
        sink: standard output.

    Raises:
        SystemExit: the arguments are wrong, or only help was asked for.
    """
    asked = _parse(arguments)
    try:
        scrubber = load(*asked.policy)
    except PolicyError as refusal:
        _say(str(refusal))
        return 1
    if asked.command == "scrub":
        return scrub(scrubber, source, sink, _say, lines_are_text=asked.text)
    answer = explain(scrubber, asked.text) if asked.command == "explain" else _checked(scrubber)
    sink.write(f"{answer}\n".encode("utf-8", "backslashreplace"))
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m telemetry.pii", description="What is sensitive, and what is left of a text without it."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    explaining = commands.add_parser("explain", help="say which rule hits where, and why")
    explaining.add_argument("text", metavar="TEXT", help="a text, or a JSON object with the keys that it has")
    scrubbing = commands.add_parser("scrub", help="read JSON lines, write them scrubbed")
    scrubbing.add_argument("--text", action="store_true", help="the lines are plain text")
    checking = commands.add_parser("check", help="validate the policy and run its own examples")
    for command in (explaining, scrubbing, checking):
        command.add_argument(
            "--policy",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="a policy file: its rules replace those of the same name and add to the rest; may be given again",
        )
    return parser.parse_args(arguments)


def _checked(scrubber: Scrubber) -> str:
    policy = scrubber.policy
    examples = sum(len(rule.examples) + len(rule.innocent) for rule in scrubber.compiled.data)
    counts = f"{len(policy.value_rules)} value rules, {len(policy.key_rules)} key rules, {examples} examples"
    return f"{counts}: all as they should be\npii.policy.digest {policy.digest}"


def _say(line: str) -> None:
    sys.stderr.write(f"telemetry.pii: {line}\n")
