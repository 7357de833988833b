"""Addresses, hosts and places, each checked for what the service does with it."""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from service.settings.errors import SettingsError
from service.settings.parsing import is_loopback, items, shown_url, split_url, web_url, whole

_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_SQLITE = re.compile(r"sqlite\+aiosqlite:///(?!:memory:$)[^?#]+")
_DATABASE_NUMBER = re.compile(r"(?:/[0-9]{0,4})?")
_REDIS_SOCKET = re.compile(r"unix://(?:[^/?#@ ]*@)?/[^?#@ ]+(?:\?db=[0-9]{1,4})?")
_HEADS = ("postgresql+asyncpg://user:password@host/name", "sqlite+aiosqlite:///file")


def port(name: str, raw: str) -> int:
    """Read a TCP port; 0 is any free one."""
    return whole(name, raw, low=0, high=65_535)


def bind_host(name: str, raw: str) -> str:
    """Read the name or address to listen on."""
    if _is_address(raw) or _HOST_NAME.fullmatch(raw.lower()):
        return raw
    raise SettingsError(name, "expected a host name or an address without a port", shown_url(raw))


def data_dir(name: str, raw: str) -> Path:
    """Read a directory; it need not exist yet."""
    if "\0" in raw:
        raise SettingsError(name, "expected a directory", raw)
    # Absolute at once: whoever changes the working directory later must not move the data.
    return Path(os.path.abspath(os.path.expanduser(raw)))  # noqa: PTH100, PTH111 - Path.expanduser() can raise


def sqlite_under(directory: Path) -> str:
    """Name the embedded database's URL."""
    return f"sqlite+aiosqlite:///{directory / 'clearstory.db'}"


def database(name: str, raw: str) -> str:
    """Read a database URL of one of the two dialects. The text holds a password: it is never shown."""
    url = split_url(raw, ("postgresql+asyncpg",))
    if (url is not None and len(url.path) > 1) or _SQLITE.fullmatch(raw):
        return raw
    hint = ""
    if raw.startswith(("postgres://", "postgresql://")):
        hint = " (the driver belongs to the scheme)"
    raise SettingsError(name, f"expected {' or '.join(_HEADS)}{hint}")


def redis(name: str, raw: str) -> str:
    """Read the address of a Redis: TCP, TLS or a socket's path. The text may hold a password: it is never shown."""
    url = split_url(raw, ("redis", "rediss"))
    if (url is not None and _DATABASE_NUMBER.fullmatch(url.path) and not url.query and not url.fragment) or (
        raw.isascii() and raw.isprintable() and _REDIS_SOCKET.fullmatch(raw)
    ):
        return raw
    raise SettingsError(
        name, "expected redis://user:password@host:6379/0, rediss://... for TLS, or unix:///path/to/socket?db=0"
    )


def jwks(name: str, raw: str) -> str:
    """Read the address of the key set: https, or http on this machine."""
    url = split_url(raw, ("http", "https"))
    if url is None or url.fragment or "@" in url.netloc:
        raise SettingsError(name, "expected an https URL without user and password")
    _encrypted(name, raw, "keys fetched over http can be anybody's")
    return raw


def _encrypted(name: str, raw: str, why: str) -> None:
    url = urlsplit(raw)
    if url.scheme == "http" and not is_loopback(url.hostname or ""):
        raise SettingsError(name, f"expected https: {why}", shown_url(raw))


def origins(name: str, raw: str) -> tuple[str, ...]:
    """Read browser origins (RFC 6454): scheme, host and perhaps a port, nothing after."""
    return tuple(_origin(name, item) for item in items(raw))


def _origin(name: str, raw: str) -> str:
    if raw == "*":
        return raw
    url = split_url(raw, ("http", "https"))
    if url is None or url.path or url.query or url.fragment or "@" in url.netloc:
        raise SettingsError(
            name, "expected origins such as https://app.example.com, no slash at the end", shown_url(raw)
        )
    return web_url(name, raw).lower()


def provider(name: str, raw: str) -> str:
    """Read the address of a language model's provider that needs no key."""
    url = split_url(raw, ("http", "https"))
    host = "" if url is None else (url.hostname or "")
    named = _HOST_NAME.fullmatch(host) and not host.rpartition(".")[2].isdigit()
    if url is None or "@" in url.netloc or not (named or _is_address(host)):
        raise SettingsError(name, "expected a URL such as https://host:443, without user and password", shown_url(raw))
    return web_url(name, raw)


def keyed_provider(name: str, raw: str) -> str:
    """Read the address of one that is sent a key, which has a setting of its own: https, or http on this machine."""
    url = provider(name, raw)
    _encrypted(name, url, "whoever reads the connection has the key and what is asked")
    return url


def allowed_hosts(name: str, raw: str) -> tuple[str, ...]:
    """Read host names without ports; `*.example.com` is any name below it, `*` any at all."""
    return tuple(_allowed_host(name, item.lower()) for item in items(raw))


def _allowed_host(name: str, raw: str) -> str:
    below = raw.removeprefix("*.")
    if raw == "*" or _HOST_NAME.fullmatch(below) or _is_address(raw):
        return raw
    raise SettingsError(name, "expected host names such as api.example.com or *.example.com, no ports", shown_url(raw))


def _is_address(raw: str) -> bool:
    try:
        ip_address(raw)
    except ValueError:
        return False
    return True
