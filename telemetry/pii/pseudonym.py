"""Stable keyed pseudonyms: one user can be followed without knowing who it is."""

import hashlib
import hmac
from functools import lru_cache


class Pseudonyms:
    """Makes placeholders of identifiers.

    Args:
        key: the key (bytes); None gives plain placeholders that cannot be told apart.
    """

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        # Bounded: the same few thousand principals make most of the traffic.
        self.of = lru_cache(maxsize=4096)(self._of)

    def _of(self, kind: str, value: str) -> str:
        """Give `[REDACTED:kind:h…]`, 16 hex digits of HMAC-SHA-256 (RFC 2104) over kind and value.

        Args:
            kind: what the value is; equal values of two kinds get different pseudonyms.
            value: the identifier.
        """
        if self._key is None:
            return f"[REDACTED:{kind}]"
        message = kind.encode() + b"\0" + value.encode("utf-8", "surrogatepass")
        return f"[REDACTED:{kind}:h{hmac.new(self._key, message, hashlib.sha256).hexdigest()[:16]}]"
