"""The settings themselves: one frozen object, made from one mapping."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from service.settings import parsing, rules, urls
from service.settings.limits import RateLimitPolicy, rate_limits
from service.settings.llm import LlmSettings, read_llm
from service.settings.parsing import Network
from service.settings.reader import Reader
from service.settings.secret import Secret
from service.settings.spelling import refuse_misspelt, similar
from service.settings.telemetry import SERVICE_NAME, read_telemetry
from telemetry.settings import LOOPBACK_AND_PRIVATE, TelemetrySettings

_LONGEST_SHUTDOWN = 300.0
_LARGEST_BODY = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the service was told. Fields are the environment's names in lower case.

    `jwt_secret` is None with a JWKS, and in development until `service.development` has made one.
    Durations are seconds, sizes bytes. `allowed_hosts` and `cors_origins` hold `*` for any. `similar` has the names
    that were given and nobody reads, each with the one of ours that may have been meant.
    """

    environment: str
    host: str
    port: int
    data_dir: Path
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    jwt_algorithm: str
    jwt_secret: Secret | None
    jwt_jwks_url: str | None
    jwt_audience: str
    jwt_issuer: str
    trusted_proxies: tuple[Network, ...]
    cors_origins: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    docs_enabled: bool
    metrics_allow: tuple[Network, ...]
    drain_seconds: float
    shutdown_grace_seconds: float
    rate_limits: Mapping[str, RateLimitPolicy]
    max_body_bytes: int
    llm: LlmSettings
    console_port: int | None
    jaeger_url: str | None
    similar: Mapping[str, str]
    telemetry: TelemetrySettings = field(repr=False)

    @property
    def production(self) -> bool:
        """Say whether the strict rules hold."""
        return self.environment == rules.PRODUCTION

    @property
    def needs_development_secret(self) -> bool:
        """Say whether tokens are signed with a secret that nobody has given."""
        return self.jwt_secret is None and self.jwt_jwks_url is None

    @classmethod
    def load(cls, environ: Mapping[str, str], *, terminal: bool = False) -> Self:
        """Read and check everything.

        Args:
            environ: The environment. A name with an empty value counts as not given.
            terminal: Whether standard output is a terminal, which decides the default of `LOG_FORMAT`.

        Raises:
            SettingsError: The first setting that cannot be used.
        """
        refuse_misspelt(environ)
        read = Reader(environ)
        environment = read.choice("ENVIRONMENT", rules.ENVIRONMENTS, rules.DEVELOPMENT)
        in_production = environment == rules.PRODUCTION
        data_dir = urls.data_dir("DATA_DIR", read.text("DATA_DIR", ".data"))
        trusted_proxies = read.optional("TRUSTED_PROXIES", parsing.networks) or ()
        metrics_allow = read.parsed("METRICS_ALLOW", parsing.networks, LOOPBACK_AND_PRIVATE)
        llm = read_llm(read)
        settings = cls(
            environment=environment,
            host=read.parsed("HOST", urls.bind_host, "127.0.0.1"),
            port=read.whole("PORT", 8000, low=0, high=65_535),
            data_dir=data_dir,
            database_url=read.parsed("DATABASE_URL", urls.database, urls.sqlite_under(data_dir)),
            redis_url=read.optional("REDIS_URL", urls.redis),
            jwt_algorithm=read.choice("JWT_ALGORITHM", rules.ALGORITHMS, "HS256"),
            jwt_secret=read.secret("JWT_SECRET"),
            jwt_jwks_url=read.optional("JWT_JWKS_URL", urls.jwks),
            jwt_audience=read.text("JWT_AUDIENCE", SERVICE_NAME),
            jwt_issuer=read.text("JWT_ISSUER", SERVICE_NAME),
            trusted_proxies=trusted_proxies,
            cors_origins=read.parsed("CORS_ORIGINS", urls.origins, ()),
            allowed_hosts=read.parsed("ALLOWED_HOSTS", urls.allowed_hosts, ("*",)),
            docs_enabled=read.parsed("DOCS_ENABLED", parsing.boolean, not in_production),
            metrics_allow=metrics_allow,
            drain_seconds=read.number("DRAIN_SECONDS", 1.0, low=0.0, high=_LONGEST_SHUTDOWN),
            shutdown_grace_seconds=read.number("SHUTDOWN_GRACE_SECONDS", 3.0, low=0.0, high=_LONGEST_SHUTDOWN),
            rate_limits=rate_limits(read.given("RATE_LIMITS")),
            max_body_bytes=read.whole("MAX_BODY_BYTES", 10_000_000, low=1, high=_LARGEST_BODY),
            llm=llm,
            console_port=read.optional("CONSOLE_PORT", urls.port),
            jaeger_url=read.optional("JAEGER_URL", parsing.web_url),
            similar=similar(environ),
            telemetry=read_telemetry(
                read,
                environment=environment,
                trusted_proxies=trusted_proxies,
                metrics_allow=metrics_allow,
                terminal=terminal,
                genai_content=llm.content,
            ),
        )
        rules.check(settings, given=read)
        return settings
