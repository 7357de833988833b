"""The environment, read name by name."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from service.settings import parsing
from service.settings.errors import SettingsError
from service.settings.secret import Secret

T = TypeVar("T")


class Reader:
    """Looks names up and applies parsers.

    Blanks around a value do not count, and an empty value is none (OpenTelemetry specification, "empty
    value": compose files and shells set variables to nothing to unset them).

    Args:
        environ: The environment.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def given(self, name: str) -> str | None:
        """Give the text, None where there is none."""
        return self._environ.get(name, "").strip() or None

    def text(self, name: str, default: str) -> str:
        """Read printable text."""
        raw = self.given(name)
        if raw is not None and not raw.isprintable():
            raise SettingsError(name, "expected text without control characters", raw)
        return raw or default

    def parsed(self, name: str, parse: Callable[[str, str], T], default: T) -> T:
        """Apply a parser that takes the name and the text."""
        raw = self.given(name)
        return default if raw is None else parse(name, raw)

    def optional(self, name: str, parse: Callable[[str, str], T]) -> T | None:
        """Apply a parser; None where nothing is given."""
        raw = self.given(name)
        return None if raw is None else parse(name, raw)

    def secret(self, name: str) -> Secret | None:
        """Read a secret as the bytes the environment holds."""
        raw = self.given(name)
        # Bytes that are not UTF-8 arrive from os.environ as lone surrogates; they must not stop start-up.
        return None if raw is None else Secret(raw.encode("utf-8", "surrogatepass"))

    def whole(self, name: str, default: int, *, low: int, high: int) -> int:
        """Read a whole number from `low` to `high`."""
        raw = self.given(name)
        return default if raw is None else parsing.whole(name, raw, low=low, high=high)

    def number(self, name: str, default: float, *, low: float, high: float) -> float:
        """Read a finite number from `low` to `high`."""
        raw = self.given(name)
        return default if raw is None else parsing.number(name, raw, low=low, high=high)

    def choice(self, name: str, allowed: Collection[str], default: str) -> str:
        """Read one of a few words."""
        raw = self.given(name)
        return default if raw is None else parsing.choice(name, raw, allowed)
