"""Stable keyed pseudonyms: one user can be followed without knowing who it is."""

import hashlib
import hmac
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from urllib.parse import unquote

# A value may have been encoded once more on its way; no form that a value rule finds was encoded more often.
_DECODINGS = 2
# Characters.
_SHORT = 256


class Pseudonyms:
    """Makes placeholders of identifiers.

    Args:
        key: the key (bytes); None gives plain placeholders that cannot be told apart.
    """

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        # Bounded: the same few thousand principals make most of the traffic.
        self._remembered = lru_cache(maxsize=4096)(self._of)

    def of(self, kind: str, value: str) -> str:
        """Give the pseudonym of a value; a long one is made anew each time, or the memory would hold megabytes."""
        return (self._remembered if len(value) <= _SHORT else self._of)(kind, value)

    def _of(self, kind: str, value: str) -> str:
        """Give `[REDACTED:kind:h…]`, 16 hex digits of HMAC-SHA-256 (RFC 2104) over kind and canonical value.

        Args:
            kind: what the value is; equal values of two kinds get different pseudonyms.
            value: the identifier, in any of its spellings.
        """
        if self._key is None:
            return f"[REDACTED:{kind}]"
        message = kind.encode() + b"\0" + canonical(kind, value).encode("utf-8", "surrogatepass")
        return f"[REDACTED:{kind}:h{hmac.new(self._key, message, hashlib.sha256).hexdigest()[:16]}]"


def canonical(kind: str, value: str) -> str:
    """Give the one form that all spellings of a value share.

    Args:
        kind: what the value is: an `email` has no capitals, an `ip` the spelling of RFC 5952.
        value: the identifier; percent-encoded (RFC 3986) or not.
    """
    for _ in range(_DECODINGS):
        value = unquote(value)
    if kind == "email":
        return value.lower()
    return _address(value) if kind == "ip" else value


def _address(value: str) -> str:
    try:
        address = ip_address(value.strip("[]"))
    except ValueError:
        return value.lower()
    # A dual-stack socket shows the same client as ::ffff:192.0.2.1.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
