"""Lua that runs in the server, by its file's name."""

from dataclasses import dataclass
from hashlib import sha1
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Script:
    """One script.

    Attributes:
        source: its text.
        digest: what the server knows it by (hex digits).
    """

    source: bytes
    digest: bytes


def load(name: str) -> Script:
    """Read the script `name` of this package."""
    source = files(__package__).joinpath(f"{name}.lua").read_bytes()
    return Script(source, sha1(source, usedforsecurity=False).hexdigest().encode())
