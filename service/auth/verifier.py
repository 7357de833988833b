"""Verification of bearer tokens (RFC 7519, with the advice of RFC 8725), and memory of the good ones."""

import binascii
import json
import math
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import jwt
from jwt.exceptions import (
    DecodeError,
    ImmatureSignatureError,
    InvalidAlgorithmError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidKeyError,
    InvalidSignatureError,
    MissingRequiredClaimError,
    PyJWTError,
)

from service.access import Principal
from service.auth.errors import Reason, TokenRefused
from service.auth.keys import HMAC_ALGORITHMS, KeySource, SecretKey

MAX_TOKEN_BYTES = 8 * 1024
MAX_SUBJECT_CHARACTERS = 255
MAX_ROLES = 64
CACHED_TOKENS = 10_000
# Only for `nbf` and `iat`, which a neighbour's clock may set a moment ahead of ours; `exp` is exact.
LEEWAY_SECONDS = 5.0
# RFC 7515 section 4.1: members that bring or point to a key, and `crit`, of whose extensions we know none.
REFUSED_MEMBERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit"})
_DOTS = 2
_REASONS: tuple[tuple[type[PyJWTError], Reason], ...] = (
    (InvalidSignatureError, "signature"),
    (InvalidAudienceError, "audience"),
    (InvalidIssuerError, "issuer"),
    (InvalidAlgorithmError, "algorithm"),
    (MissingRequiredClaimError, "claims"),
    (ImmatureSignatureError, "not_yet_valid"),
    (InvalidKeyError, "unknown_key"),
    (DecodeError, "malformed"),
)
# The times are judged here, by the injected clock and again for every use of a remembered token.
_OPTIONS: Any = {
    "require": ["exp", "sub", "aud", "iss"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "enforce_minimum_key_length": True,
}


class _Verified(NamedTuple):
    principal: Principal
    not_before: float
    expires: float


class Verifier:
    """Turns tokens into principals.

    Args:
        algorithm: the only one that is accepted, whatever a token says.
        keys: a `SecretKey` for HMAC, a key set for anything else.
        audience: what `aud` must be or hold.
        issuer: what `iss` must be.
        now: seconds since the epoch.
        cached_tokens: good tokens that are remembered, by the SHA-256 of the whole token.

    Raises:
        ValueError: an HMAC algorithm with published keys, or a secret with any other algorithm.
    """

    def __init__(
        self,
        *,
        algorithm: str,
        keys: KeySource,
        audience: str,
        issuer: str,
        now: Callable[[], float] = time.time,
        cached_tokens: int = CACHED_TOKENS,
    ) -> None:
        if (algorithm in HMAC_ALGORITHMS) is not isinstance(keys, SecretKey):
            raise ValueError("HMAC goes with a secret and nothing else does")
        self._algorithm = algorithm
        self._keys = keys
        self._audience = audience
        self._issuer = issuer
        self._now = now
        # Two halves, the older dropped whole: bounded like an LRU, without its upkeep on every hit.
        self._half = max(cached_tokens // 2, 1)
        self._young: dict[bytes, _Verified] = {}
        self._old: dict[bytes, _Verified] = {}
        self._generation = keys.generation()

    def known(self, token: bytes) -> Principal | None:
        """The principal of a token that was verified before and is good now; None says nothing."""
        if self._generation != (generation := self._keys.generation()):
            self._generation = generation
            self._young, self._old = {}, {}
        digest = sha256(token).digest()
        verified = self._young.get(digest)
        if verified is None:
            verified = self._old.get(digest)
            if verified is None:
                return None
            self._remember(digest, verified)
        if verified.not_before <= self._now() < verified.expires:
            return verified.principal
        del self._young[digest]
        return None

    async def verify(self, token: bytes) -> Principal:
        """Verify a token from the first byte.

        Raises:
            TokenRefused: with the reason.
            KeysUnavailable: there is no key to verify with.
        """
        if len(token) > MAX_TOKEN_BYTES:
            raise TokenRefused("oversized")
        key = await self._keys.find(_key_id(_header(token), self._algorithm))
        # Taken before the signature is checked: if the keys change meanwhile, nothing is remembered.
        generation = self._keys.generation()
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[self._algorithm],
                audience=self._audience,
                issuer=self._issuer,
                options=_OPTIONS,
            )
        except PyJWTError as error:
            raise TokenRefused(_reason(error)) from error
        except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError) as error:
            raise TokenRefused("malformed") from error
        verified = self._judged(claims)
        if generation == self._generation:
            self._old.pop(digest := sha256(token).digest(), None)
            self._remember(digest, verified)
        return verified.principal

    def _judged(self, claims: Mapping[str, Any]) -> _Verified:
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS:
            raise TokenRefused("claims")
        if not subject.isprintable():
            raise TokenRefused("claims")
        now = self._now()
        expires = _seconds(claims["exp"])
        not_before = max(_seconds(claims.get("nbf", 0)), _seconds(claims.get("iat", 0))) - LEEWAY_SECONDS
        if expires <= now:
            raise TokenRefused("expired")
        if not_before > now:
            raise TokenRefused("not_yet_valid")
        return _Verified(Principal(subject, _roles(claims.get("roles", []))), not_before, expires)

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[digest] = verified


def _header(token: bytes) -> dict[str, Any]:
    head, dot, _ = token.partition(b".")
    if not dot or token.count(b".") != _DOTS:
        raise TokenRefused("malformed")
    try:
        header = json.loads(urlsafe_b64decode(head + b"=" * (-len(head) % 4)))
    except (ValueError, RecursionError, binascii.Error) as error:
        raise TokenRefused("malformed") from error
    if not isinstance(header, dict):
        raise TokenRefused("malformed")
    return header


def _key_id(header: Mapping[str, Any], algorithm: str) -> str | None:
    if header.get("alg") != algorithm:
        raise TokenRefused("algorithm")
    if not REFUSED_MEMBERS.isdisjoint(header):
        raise TokenRefused("header")
    if "kid" not in header:
        return None
    key_id = header["kid"]
    if not isinstance(key_id, str):
        raise TokenRefused("header")
    return key_id


def _reason(error: PyJWTError) -> Reason:
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), "claims")


def _seconds(value: object) -> float:
    # RFC 7519 section 2, NumericDate; bool is an int to Python only.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused("claims")
    try:
        seconds = float(value)
    except OverflowError as error:
        raise TokenRefused("claims") from error
    if not math.isfinite(seconds):
        raise TokenRefused("claims")
    return seconds


def _roles(value: object) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > MAX_ROLES:
        raise TokenRefused("claims")
    if not all(isinstance(role, str) for role in value):
        raise TokenRefused("claims")
    return frozenset(value)
