"""`python -m service check`: would it start, and who may call what?"""

from typing import TYPE_CHECKING

from service import development, streams
from service.app import create_app
from service.listeners import bind
from service.settings import Settings
from service.settings.rules import advice

if TYPE_CHECKING:
    from service.access import Access


def execute(settings: Settings) -> int:
    """Print each route's decision; settings that could be better are said on standard error.

    Raises:
        AuditError: A route lacks a decision.
        OutputError: Standard output cannot be written.
        SettingsError: `DATA_DIR` is needed and cannot be used.
        StartFailedError: `HOST` is no address of this machine.
    """
    development.require_data_dir(settings)
    for listener in bind(settings.host, 0):  # any free port: the service may be running
        listener.close()
    decisions: dict[tuple[str, str], Access] = create_app(development.ephemeral(settings)).state.access
    lines = [
        f"{method:<7} {path:<42} {access.auth:<8} {access.policy or 'unlimited'}\n"
        for (method, path), access in sorted(decisions.items(), key=lambda item: item[0][::-1])
    ]
    streams.put("".join(lines).encode())
    for line in advice(settings):
        streams.say(f"service: {line}")
    return 0
