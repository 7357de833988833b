"""`python -m service check`: would it start, and who may call what?"""

import sys
from typing import TYPE_CHECKING

from service import development
from service.app import create_app
from service.settings import Settings
from service.settings.rules import advice

if TYPE_CHECKING:
    from service.access import Access


def execute(settings: Settings) -> int:
    """Print each route's decision; settings that could be better are said on standard error.

    Raises:
        AuditError: A route lacks a decision.
        SettingsError: `DATA_DIR` is needed and cannot be used.
    """
    development.require_data_dir(settings)
    decisions: dict[tuple[str, str], Access] = create_app(development.ephemeral(settings)).state.access
    for (method, path), access in sorted(decisions.items(), key=lambda item: item[0][::-1]):
        sys.stdout.write(f"{method:<7} {path:<42} {access.auth:<8} {access.policy or 'unlimited'}\n")
    sys.stdout.flush()
    for line in advice(settings):
        sys.stderr.write(f"service: {line}\n")
    return 0
