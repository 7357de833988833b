"""The one error of the settings."""

_SHOWN = 80


class SettingsError(Exception):
    """A setting cannot be used. Its text is a single line, fit to be shown to the operator.

    Args:
        name: The setting, as the environment spells it.
        expected: What would have been accepted, or what to do. Never made from a secret's value.
        value: The offending value, shown escaped and cut; None for secrets.
    """

    def __init__(self, name: str, expected: str, value: str | None = None) -> None:
        self.name = name
        line = f"{_one_line(name)}: {expected}"
        if value is not None:
            shown = value if len(value) <= _SHOWN else value[:_SHOWN] + "..."
            line = f"{line}; got {shown!a}"
        super().__init__(line)


def _one_line(text: str) -> str:
    """Escape what would break the line or the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
