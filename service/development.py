"""The secrets that development makes for itself, once, so that `run` and `token` agree."""

import os
import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from service.settings import Secret, Settings, SettingsError
from service.settings.rules import DEVELOPMENT_SECRET
from service.settings.urls import sqlite_under

_SECRET_FILE = "jwt-secret"  # noqa: S105 - a file's name
_KEY_FILE = "pseudonym-key"
_RANDOM_BYTES = 48
# HS512, the hungriest algorithm, needs 64 bytes: the prefix and 64 characters of base64 are enough.
_SHORTEST = 64


def complete(settings: Settings) -> Settings:
    """Fill in what development does not make the developer provide, from files under `DATA_DIR`.

    Settings of production, and those that lack nothing, come back as they are and touch no file.

    Raises:
        SettingsError: `DATA_DIR` cannot be used.
    """
    if settings.production:
        return settings
    if settings.needs_development_secret:
        settings = replace(settings, jwt_secret=Secret(_stored(settings.data_dir, _SECRET_FILE)))
    if settings.telemetry.pseudonym_key is None:
        key = _stored(settings.data_dir, _KEY_FILE)
        settings = replace(settings, telemetry=replace(settings.telemetry, pseudonym_key=key))
    return settings


def has_secret(settings: Settings) -> bool:
    """Say whether the secret of tokens is given, or was made before."""
    return not settings.needs_development_secret or os.access(settings.data_dir / _SECRET_FILE, os.R_OK)


def ephemeral(settings: Settings) -> Settings:
    """Fill in a secret that lives as long as the process, for commands that verify no token."""
    if settings.needs_development_secret:
        return replace(settings, jwt_secret=Secret(_fresh()))
    return settings


def require_data_dir(settings: Settings) -> None:
    """See that files can be made in `DATA_DIR`, where they are going to be; makes none.

    Raises:
        SettingsError: They cannot.
    """
    makes_secrets = not settings.production and (
        settings.needs_development_secret or settings.telemetry.pseudonym_key is None
    )
    if not makes_secrets and settings.database_url != sqlite_under(settings.data_dir):
        return
    for place in (settings.data_dir, *settings.data_dir.parents):
        try:
            if not place.exists():
                continue
            usable = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
        except (OSError, ValueError):
            usable = False
        if usable:
            return
        raise SettingsError("DATA_DIR", "expected a directory that can be written", str(settings.data_dir))


def _stored(directory: Path, file: str) -> bytes:
    path = directory / file
    try:
        with suppress(FileNotFoundError):
            return _checked(path.read_bytes(), path)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path, _fresh())
        return _checked(path.read_bytes(), path)
    except (OSError, ValueError):
        reason = "expected a directory in which files can be made and read"
    raise SettingsError("DATA_DIR", reason, str(path))


def _create(path: Path, content: bytes) -> None:
    """Put a whole file in place, or leave the one that another process put there first.

    `link` fails where the name exists: of two processes one wins, and neither can read half a file.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _fresh() -> bytes:
    return DEVELOPMENT_SECRET + secrets.token_urlsafe(_RANDOM_BYTES).encode("ascii")


def _checked(content: bytes, path: Path) -> bytes:
    if len(content) < _SHORTEST:
        raise SettingsError("DATA_DIR", "expected a secret made by this service; delete the file", str(path))
    return content
