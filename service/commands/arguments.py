"""The grammar of the command line."""

import argparse
import re
from collections.abc import Sequence

from service.auth.verifier import MAX_ROLES, MAX_SUBJECT_CHARACTERS

_TTL = re.compile(r"([0-9]{1,9})([smhd]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_TTL = 366 * 86_400


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the arguments.

    Raises:
        SystemExit: They are wrong (status 2), or only help was asked for (0).
    """
    parser = argparse.ArgumentParser(prog="python -m service", description="The Clearstory service.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("run", help="serve until Ctrl-C or SIGTERM")
    token = commands.add_parser("token", help="print a bearer token for this service's secret")
    token.add_argument("--sub", required=True, type=_subject, metavar="NAME", help="whom it is for")
    token.add_argument("--role", action=_Roles, default=[], metavar="ROLE", help="may be given again")
    token.add_argument("--ttl", type=_ttl, default="1h", help="how long it is good: 90, 15m, 1h (the default), 7d")
    commands.add_parser("openapi", help="print the OpenAPI document")
    commands.add_parser("check", help="validate the settings and audit the routes, without starting")
    return parser.parse_args(arguments)


class _Roles(argparse.Action):
    """Collects roles, as many as a token may have."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        roles = [*getattr(namespace, self.dest), values]
        if len(roles) > MAX_ROLES:
            parser.error(f"argument {option_string}: at most {MAX_ROLES} roles")
        setattr(namespace, self.dest, roles)


def _subject(text: str) -> str:
    if 0 < len(text) <= MAX_SUBJECT_CHARACTERS and text.isprintable():
        return text
    raise argparse.ArgumentTypeError(f"expected 1 to {MAX_SUBJECT_CHARACTERS} printable characters")


def _ttl(text: str) -> int:
    match = _TTL.fullmatch(text)
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if 0 < seconds <= _LONGEST_TTL:
        return seconds
    raise argparse.ArgumentTypeError("expected a time such as 90, 15m, 1h or 7d, at most 366d")
