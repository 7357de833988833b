"""`python -m service token`: a bearer token that the running service accepts."""

import time
from collections.abc import Sequence

import jwt

from service import development, streams
from service.settings import Settings, SettingsError


def execute(settings: Settings, subject: str, roles: Sequence[str], ttl: int) -> int:
    """Print a token and nothing else; that its secret is new is said on standard error.

    Raises:
        OutputError: Standard output cannot be written.
        SettingsError: Tokens are made elsewhere, or `DATA_DIR` cannot be used.
    """
    known = development.has_secret(settings)
    streams.put(make_token(development.complete(settings), subject, roles, ttl).encode() + b"\n")
    if not known:
        streams.say(
            f"service: a new secret was made in {str(settings.data_dir.absolute())!r}; "
            "a service with another DATA_DIR refuses this token"
        )
    return 0


def make_token(settings: Settings, subject: str, roles: Sequence[str], ttl: int) -> str:
    """Sign a token.

    Args:
        settings: Complete ones.
        subject: `sub`.
        roles: `roles`.
        ttl: Seconds until `exp`.

    Raises:
        SettingsError: The keys are those of a JWKS: only its owner has the private ones.
    """
    if settings.jwt_secret is None:
        raise SettingsError("JWT_JWKS_URL", "expected none: tokens come from whoever publishes those keys")
    now = int(time.time())
    claims = {
        "sub": subject,
        "aud": settings.jwt_audience,
        "iss": settings.jwt_issuer,
        "iat": now,
        "exp": now + ttl,
        "roles": list(roles),
    }
    return jwt.encode(claims, settings.jwt_secret.reveal(), algorithm=settings.jwt_algorithm)
