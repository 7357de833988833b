"""Where verification keys come from, and which JSON Web Keys are fit for the pinned algorithm."""

from collections.abc import Mapping
from typing import Any, Protocol

from jwt import PyJWK
from jwt.exceptions import PyJWTError

# RFC 7518 section 6.1. No `oct`: a published key is no secret, so HMAC never meets a key set.
KEY_TYPES: Mapping[str, str] = {
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "PS256": "RSA",
    "PS384": "RSA",
    "PS512": "RSA",
    "ES256": "EC",
    "ES384": "EC",
    "ES512": "EC",
    "EdDSA": "OKP",
}
CURVES: Mapping[str, str] = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}
HMAC_ALGORITHMS = frozenset({"HS256", "HS384", "HS512"})


class KeySource(Protocol):
    """Verification keys and their age."""

    def generation(self) -> int:
        """A number that changes whenever the keys do: what was verified before is verified anew."""

    async def find(self, key_id: str | None) -> PyJWK | bytes:
        """Give the key that a token names.

        Raises:
            TokenRefused: `unknown_key`.
            KeysUnavailable: there are no keys at all.
        """


class SecretKey:
    """One shared secret, for HMAC.

    Args:
        secret: at least as long as the hash's output (RFC 7518 section 3.2).
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def generation(self) -> int:
        """Never changes."""
        return 0

    async def find(self, key_id: str | None) -> bytes:  # noqa: ARG002 - one key, whatever it is called
        """Give the secret, whatever the token calls it."""
        return self._secret


def usable_keys(document: object, algorithm: str) -> dict[str, PyJWK]:
    """Read a key set (RFC 7517 section 5), leaving out every key that is not for `algorithm`.

    Returns:
        Keys by id; none when the document is not a key set.
    """
    members = document.get("keys") if isinstance(document, dict) else None
    found: dict[str, PyJWK] = {}
    for member in members if isinstance(members, list) else ():
        if isinstance(member, dict) and _fits(member, algorithm):
            try:
                found.setdefault(member["kid"], PyJWK(member, algorithm))
            except (PyJWTError, ValueError, TypeError):
                continue  # one broken key must not take the others with it
    return found


def _fits(member: dict[str, Any], algorithm: str) -> bool:
    return (
        isinstance(member.get("kid"), str)
        and member["kid"] != ""
        and member.get("kty") == KEY_TYPES.get(algorithm)
        and member.get("crv") == CURVES.get(algorithm)
        and member.get("alg", algorithm) == algorithm
        and member.get("use", "sig") == "sig"
        and "verify" in (member.get("key_ops") or ["verify"])
        and "d" not in member  # a private key that was published is nobody's key any more
    )
