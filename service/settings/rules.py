"""What settings must be to each other, and what production refuses."""

from typing import TYPE_CHECKING

from service.settings.errors import SettingsError
from service.settings.llm import GENAI_CONTENT, SIMULATED
from service.settings.reader import Reader

if TYPE_CHECKING:
    from service.settings.model import Settings

DEVELOPMENT = "development"
PRODUCTION = "production"
# Two and no more: a third word (`prod`, `staging`) would otherwise be a development in disguise.
ENVIRONMENTS = (DEVELOPMENT, PRODUCTION)
DEVELOPMENT_SECRET = b"development-"

# RFC 7518 section 3.2: an HMAC key is at least as long as the hash. Bytes.
_HMAC_KEY = {"HS256": 32, "HS384": 48, "HS512": 64}
_ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
ALGORITHMS = (*_HMAC_KEY, *_ASYMMETRIC)
_FEWEST_DISTINCT_BYTES = 8


def check(settings: "Settings", *, given: Reader) -> None:
    """Hold the settings against each other.

    Args:
        settings: Each already good by itself.
        given: The environment they came from, to tell a default from a choice.

    Raises:
        SettingsError: The first rule that is broken.
    """
    _single_process(given)
    _tokens(settings)
    if settings.production:
        _production(settings, given)


def advice(settings: "Settings") -> tuple[str, ...]:
    """Say in lines what is allowed but could be better."""
    lines = [f"{name}: not read; did you mean {ours}?" for name, ours in settings.similar.items()]
    if settings.production and settings.telemetry.pseudonym_key is None:
        lines.append("PII_PSEUDONYM_KEY: none; one person's log lines cannot be told from another's")
    return tuple(lines)


def _single_process(given: Reader) -> None:
    if given.whole("WEB_CONCURRENCY", 1, low=1, high=1_000_000) > 1:
        raise SettingsError("WEB_CONCURRENCY", "expected 1: more than one worker is not supported yet")


def _tokens(settings: "Settings") -> None:
    shortest = _HMAC_KEY.get(settings.jwt_algorithm)
    if settings.jwt_jwks_url is not None:
        if settings.jwt_secret is not None:
            raise SettingsError("JWT_SECRET", "expected none beside JWT_JWKS_URL: tokens have one source")
        if shortest is not None:
            raise SettingsError(
                "JWT_ALGORITHM",
                f"expected one of {', '.join(_ASYMMETRIC)} with JWT_JWKS_URL",
                settings.jwt_algorithm,
            )
    elif shortest is None:
        raise SettingsError("JWT_JWKS_URL", f"expected the key set's URL with {settings.jwt_algorithm}")
    elif settings.jwt_secret is not None and len(settings.jwt_secret.reveal()) < shortest:
        raise SettingsError("JWT_SECRET", f"expected at least {shortest} bytes for {settings.jwt_algorithm} (RFC 7518)")


def _production(settings: "Settings", given: Reader) -> None:
    _production_tokens(settings, given)
    if any(provider.name == SIMULATED for provider in settings.llm.providers):
        raise SettingsError("LLM_PROVIDER", "expected anthropic or openrouter in production", SIMULATED)
    if settings.redis_url is not None and settings.telemetry.pseudonym_key is None:
        # Digests that are not keyed can be tried out: there are few addresses.
        raise SettingsError(
            "PII_PSEUDONYM_KEY", "expected one, the same for all processes, with REDIS_URL in production"
        )
    if settings.console_port is not None:
        raise SettingsError("CONSOLE_PORT", "expected none in production: the console is for development")
    if settings.llm.content:
        raise SettingsError(GENAI_CONTENT, "expected false in production: prompts hold personal data")
    if given.given("ALLOWED_HOSTS") is None or not settings.allowed_hosts:
        raise SettingsError("ALLOWED_HOSTS", "expected the service's own host names in production")
    if "*" in settings.allowed_hosts:
        raise SettingsError("ALLOWED_HOSTS", "expected names, not any host, in production", "*")
    if "*" in settings.cors_origins:
        raise SettingsError("CORS_ORIGINS", "expected origins, not any origin, in production", "*")


def _production_tokens(settings: "Settings", given: Reader) -> None:
    for name in ("JWT_AUDIENCE", "JWT_ISSUER"):
        if settings.jwt_jwks_url is not None and given.given(name) is None:
            raise SettingsError(name, "expected the value in your tokens, with JWT_JWKS_URL in production")
    if settings.needs_development_secret:
        raise SettingsError("JWT_SECRET", "expected a secret, or JWT_JWKS_URL, in production")
    if settings.jwt_secret is not None:
        secret = settings.jwt_secret.reveal()
        if secret.startswith(DEVELOPMENT_SECRET) or len(set(secret)) < _FEWEST_DISTINCT_BYTES:
            raise SettingsError("JWT_SECRET", "expected a random secret in production, not a development one")
