"""The settings, then the command; what stops either is one line on standard error."""

import sys
from collections.abc import Mapping, Sequence

from service import streams
from service.access import AuditError
from service.commands import check, openapi, run, token
from service.commands.arguments import parse
from service.settings import Settings, SettingsError
from service.startup import StartFailedError
from telemetry import PolicyError


def dispatch(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command and give its exit status: 0 done, 1 refused or failed, 2 misused.

    Args:
        arguments: Those of the command line, without the program.
        environ: The environment.

    Raises:
        SystemExit: The arguments are wrong, or only help was asked for.
    """
    asked = parse(arguments)
    try:
        if asked.command == "openapi":
            return openapi.execute()
        settings = Settings.load(environ, terminal=sys.stdout.isatty())
        if asked.command == "run":
            return run.execute(settings)
        if asked.command == "token":
            return token.execute(settings, asked.sub, asked.role, asked.ttl)
        return check.execute(settings)
    except (AuditError, PolicyError, SettingsError, StartFailedError) as refusal:
        streams.say(f"service: {refusal}")
        return 1
