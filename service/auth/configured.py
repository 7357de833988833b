"""The verifier that the settings describe."""

from service.auth.jwks import JwksKeys
from service.auth.keys import KeySource, SecretKey
from service.auth.verifier import Verifier
from service.settings import Settings


def configured_verifier(settings: Settings) -> Verifier:
    """Make the verifier of bearer tokens; nothing is fetched before the first token comes.

    Raises:
        ValueError: there is neither a secret nor a JWKS URL (a development secret was not made yet).
    """
    keys: KeySource
    if settings.jwt_jwks_url is not None:
        keys = JwksKeys(settings.jwt_jwks_url, settings.jwt_algorithm)
    elif settings.jwt_secret is not None:
        keys = SecretKey(settings.jwt_secret.reveal())
    else:
        raise ValueError("no key to verify tokens with")
    return Verifier(
        algorithm=settings.jwt_algorithm,
        keys=keys,
        audience=settings.jwt_audience,
        issuer=settings.jwt_issuer,
    )
