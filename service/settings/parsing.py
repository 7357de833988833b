"""Text to value: small pure functions, each with one way to be wrong.

Every function takes the setting's name and its raw text and raises `SettingsError`. Parsers of secrets
pass no value on; they never chain the exception that saw it either.
"""

import math
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from service.settings.errors import SettingsError

Network = IPv4Network | IPv6Network

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,3})?")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# `claude-sonnet-5-5`, `anthropic/claude-sonnet-5.5:beta`, `vertex_ai/claude@20260620`, `@preset/ours`; no address.
_MODEL = re.compile(r"(?=[^A-Za-z]*[A-Za-z])@?[A-Za-z0-9][A-Za-z0-9._:/+~-]{0,99}(?:@(?:[0-9]{8}|latest|default))?")
# RFC 9110 section 5.6.2: what a header name, and an OpenTelemetry key, may be made of.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def boolean(name: str, raw: str) -> bool:
    """Read true or false."""
    word = raw.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise SettingsError(name, "expected true or false", raw)


def whole(name: str, raw: str, *, low: int, high: int) -> int:
    """Read a whole number from `low` to `high`, both included."""
    if _WHOLE.fullmatch(raw) and low <= int(raw) <= high:
        return int(raw)
    raise SettingsError(name, f"expected a whole number from {low} to {high}", raw)


def number(name: str, raw: str, *, low: float, high: float) -> float:
    """Read a finite number from `low` to `high`, both included."""
    if _NUMBER.fullmatch(raw):
        value = float(raw)
        if math.isfinite(value) and low <= value <= high:
            return value
    raise SettingsError(name, f"expected a number from {low:g} to {high:g}", raw)


def choice(name: str, raw: str, allowed: Collection[str]) -> str:
    """Read one of a few words, in any case; the word comes back as `allowed` spells it."""
    for word in allowed:
        if word.lower() == raw.lower():
            return word
    raise SettingsError(name, f"expected one of {', '.join(allowed)}", raw)


def model_name(name: str, raw: str) -> str:
    """Read a provider's name of a model; it is told in metrics, spans and answers."""
    if _MODEL.fullmatch(raw):
        return raw
    raise SettingsError(name, "expected a provider's name of a model such as claude-sonnet-5-5", shown_url(raw))


def items(raw: str) -> tuple[str, ...]:
    """Split at commas; blanks around an item, and empty items, do not count; `none` is an empty list."""
    if raw.lower() == "none":
        return ()
    return tuple(item for part in raw.split(",") if (item := part.strip()))


def networks(name: str, raw: str) -> tuple[Network, ...]:
    """Read CIDRs or single addresses."""
    return tuple(_network(name, item) for item in items(raw))


def _network(name: str, raw: str) -> Network:
    with suppress(ValueError):
        return ip_network(raw)
    try:
        around = ip_network(raw, strict=False)
    except ValueError:
        around = None
    if around is not None:
        raise SettingsError(name, f"host bits are set; did you mean {around}?", raw)
    raise SettingsError(name, "expected addresses or CIDRs such as 10.0.0.0/8, separated by commas", raw)


def split_url(raw: str, schemes: Collection[str]) -> SplitResult | None:
    """Split an absolute URL that has a host and one of the schemes; None if it is anything else."""
    if not raw.isascii() or not raw.isprintable() or " " in raw:
        return None
    with suppress(ValueError):
        url = urlsplit(raw)
        port_is_valid = url.port is None or url.port > 0
        if url.scheme in schemes and url.hostname and port_is_valid:
            return url
    return None


def shown_url(raw: str) -> str | None:
    """Give what may be shown of a text that is, or should have been, a URL: all of it, or None."""
    # Whatever stands before an "@", or in a query, may be a password, in a URL that cannot be parsed just as well.
    return None if any(mark in raw for mark in "@?#") else raw


def web_url(name: str, raw: str) -> str:
    """Read an http or https URL without query and fragment; a trailing slash goes."""
    url = split_url(raw, ("http", "https"))
    if url is None or url.query or url.fragment:
        raise SettingsError(name, "expected a URL such as https://host:4318", shown_url(raw))
    return raw.rstrip("/")


def is_loopback(host: str) -> bool:
    """Say whether a URL's host can only be this machine."""
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def pairs(name: str, raw: str, *, secret: bool) -> Mapping[str, str]:
    """Read `key=value,key=value` with percent-encoded values.

    Source: OpenTelemetry specification, `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_EXPORTER_OTLP_HEADERS`,
    both in the form of W3C Baggage without properties.
    """
    result: dict[str, str] = {}
    for item in items(raw):
        key, equals, value = (part.strip() for part in item.partition("="))
        text = _percent_decoded(value)
        if not equals or not _TOKEN.fullmatch(key) or text is None or not text.isprintable():
            expected = "expected key=value pairs separated by commas, values percent-encoded"
            raise SettingsError(name, expected, None if secret else item)
        result[key] = text
    return result


def _percent_decoded(value: str) -> str | None:
    if _BAD_ESCAPE.search(value):
        return None
    with suppress(UnicodeError):
        return unquote_to_bytes(value).decode()
    return None
