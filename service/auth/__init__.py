"""Who calls: bearer tokens verified against a pinned algorithm and known keys."""

from service.auth.configured import configured_verifier
from service.auth.errors import KeysUnavailable, TokenRefused
from service.auth.jwks import JwksKeys
from service.auth.keys import KeySource, SecretKey
from service.auth.verifier import Verifier

__all__ = [
    "JwksKeys",
    "KeySource",
    "KeysUnavailable",
    "SecretKey",
    "TokenRefused",
    "Verifier",
    "configured_verifier",
]
