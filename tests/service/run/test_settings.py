"""Every setting: what is accepted, what stops start-up, and what is never shown."""

import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import example, given
from hypothesis import strategies as st

from service import __version__
from service.settings import RateLimitPolicy, Secret, Settings, SettingsError
from service.settings.rules import advice
from service.settings.spelling import KNOWN

PAIR = "expected a certificate in PEM and its key without a password, there or in OTEL_EXPORTER_OTLP_CLIENT_KEY"
SECRET = "correct-horse-battery-staple-0123456789"
SECRETS = (
    "JWT_SECRET",
    "ANTHROPIC_API_KEY",
    "OPENROUTER_API_KEY",
    "SENTRY_DSN",
    "REDIS_URL",
    "DATABASE_URL",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "PII_PSEUDONYM_KEY",
)
PRODUCTION = {
    "ENVIRONMENT": "production",
    "JWT_SECRET": SECRET,
    "LLM_PROVIDER": "anthropic",
    "ANTHROPIC_API_KEY": "sk-test",
    "ALLOWED_HOSTS": "api.example.com",
}


def refusal(**environ: str) -> str:
    """The line that an environment is refused with."""
    with pytest.raises(SettingsError) as caught:
        Settings.load(environ)
    return str(caught.value)


def test_nothing_is_needed_in_development():
    """An empty environment gives the defaults of the contract."""
    settings = Settings.load({})
    assert (settings.environment, settings.host, settings.port) == ("development", "127.0.0.1", 8000)
    assert settings.data_dir == Path.cwd() / ".data"
    assert settings.database_url == f"sqlite+aiosqlite:///{Path.cwd()}/.data/clearstory.db"
    assert settings.jwt_secret is None
    assert settings.allowed_hosts == ("*",)
    assert settings.docs_enabled
    assert (settings.drain_seconds, settings.shutdown_grace_seconds) == (1.0, 3.0)
    assert settings.max_body_bytes == 10_000_000
    assert settings.telemetry.otlp_endpoint is None
    assert settings.telemetry.log_format == "json"
    assert dict(settings.rate_limits) == {
        "default": RateLimitPolicy(300, 60.0),
        "llm": RateLimitPolicy(20, 60.0, tokens=40_000, concurrency=4),
        "questions": RateLimitPolicy(30, 60.0, tokens=40_000, concurrency=4),
        "auth": RateLimitPolicy(30, 60.0),
    }


def test_empty_is_not_given():
    """A name with an empty or blank value counts as not given."""
    assert Settings.load(dict.fromkeys(KNOWN, "  ")) == Settings.load({})


def test_a_terminal_gets_the_console():
    """The log's format follows the terminal unless it is said."""
    assert Settings.load({}, terminal=True).telemetry.log_format == "console"
    assert Settings.load({"LOG_FORMAT": "json"}, terminal=True).telemetry.log_format == "json"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "eighty", "PORT: expected a whole number from 0 to 65535; got 'eighty'"),
        ("PORT", "65536", "PORT: expected a whole number from 0 to 65535; got '65536'"),
        ("PORT", "8_000", "PORT: expected a whole number from 0 to 65535; got '8_000'"),
        ("DRAIN_SECONDS", "nan", "DRAIN_SECONDS: expected a number from 0 to 300; got 'nan'"),
        ("DRAIN_SECONDS", "inf", "DRAIN_SECONDS: expected a number from 0 to 300; got 'inf'"),
        ("SHUTDOWN_GRACE_SECONDS", "-1", "SHUTDOWN_GRACE_SECONDS: expected a number from 0 to 300; got '-1'"),
        ("DOCS_ENABLED", "maybe", "DOCS_ENABLED: expected true or false; got 'maybe'"),
        ("ENVIRONMENT", "prod", "ENVIRONMENT: expected one of development, production; got 'prod'"),
        ("MAX_BODY_BYTES", "0", "MAX_BODY_BYTES: expected a whole number from 1 to 1000000000; got '0'"),
        (
            "TRUSTED_PROXIES",
            "10.0.0.1/8",
            "TRUSTED_PROXIES: host bits are set; did you mean 10.0.0.0/8?; got '10.0.0.1/8'",
        ),
        ("HOST", "localhost:80", "HOST: expected a host name or an address without a port; got 'localhost:80'"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.01", "OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1; got '1.01'"),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "grpc",
            "OTEL_EXPORTER_OTLP_PROTOCOL: expected one of http/protobuf; got 'grpc'",
        ),
        ("LLM_PROVIDER", "openai", "LLM_PROVIDER: expected one of simulated, anthropic, openrouter; got 'openai'"),
        ("LLM_PROVIDER", "anthropic", "ANTHROPIC_API_KEY: expected a key: LLM_PROVIDER has anthropic"),
        ("WEB_CONCURRENCY", "2", "WEB_CONCURRENCY: expected 1: more than one worker is not supported yet"),
        ("JWT_SECRET", "short", "JWT_SECRET: expected at least 32 bytes for HS256 (RFC 7518)"),
        ("JWT_ALGORITHM", "RS256", "JWT_JWKS_URL: expected the key set's URL with RS256"),
        (
            "JWT_JWKS_URL",
            "http://keys.example.com/",
            "JWT_JWKS_URL: expected https: keys fetched over http can be anybody's; got 'http://keys.example.com/'",
        ),
        (
            "LOG_LEVEL",
            "\x1b[31mloud\n",
            "LOG_LEVEL: expected one of debug, info, warning, error, critical; got '\\x1b[31mloud'",
        ),
    ],
)
def test_a_bad_value_is_named(name, value, expected):
    """The line says the name, what was expected and what was given."""
    assert refusal(**{name: value}) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://h/?s3cret=1",
        "https://h/#s3cret",
        "http://user:s3cret@h/?a=1",
        "//h?s3cret",
        "http://keys.example.com/?s3cret",
    ],
)
@pytest.mark.parametrize(
    "name",
    [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "JAEGER_URL",
        "JWT_JWKS_URL",
        "CORS_ORIGINS",
        "ALLOWED_HOSTS",
        "HOST",
        "DATABASE_URL",
        "SENTRY_DSN",
        "REDIS_URL",
    ],
)
def test_no_url_shows_its_secrets(name, url):
    """Of a URL that cannot be used, neither query nor fragment nor password is shown, only its setting."""
    line = refusal(**{name: url})
    assert line.startswith(f"{name}: ")
    assert "s3cret" not in line


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli", "expected one of none, gzip, deflate; got 'brotli'"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca.pem", "expected a file; got '/nowhere/ca.pem'"),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/nowhere", "expected a file; got '/nowhere'"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "\0", "expected a file; got '\\x00'"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", __file__, f"expected certificates in PEM; got {__file__!r}"),
        (
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
            __file__,
            f"{PAIR}; got {__file__!r}",
        ),
        (
            "OTEL_EXPORTER_OTLP_CLIENT_KEY",
            __file__,
            "expected its certificate in OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        ),
    ],
)
def test_what_the_exporters_read_is_checked(name, value, expected):
    """What the exporters take from the environment is right, or one line at the start."""
    assert refusal(**{name: value}) == f"{name}: {expected}"


def test_certificates_that_can_be_used(tmp_path):
    """Authorities, and a client's certificate with its key, which has no password that nobody could give."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    certificate, plain, locked = (tmp_path / file for file in ("client.pem", "plain.pem", "locked.pem"))
    certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    for file, encryption in ((plain, NoEncryption()), (locked, BestAvailableEncryption(b"s3cret"))):
        file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    files = {
        "OTEL_EXPORTER_OTLP_CERTIFICATE": certifi.where(),
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": str(certificate),
    }
    Settings.load({**files, "OTEL_EXPORTER_OTLP_CLIENT_KEY": str(plain)})
    assert PAIR in refusal(**files, OTEL_EXPORTER_OTLP_CLIENT_KEY=str(locked))
    assert PAIR in refusal(**files)


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("[1]", "expected a JSON object"),
        ("{", "expected JSON such as"),
        ("null", "expected JSON such as"),
        ("[" * 100_000, "expected JSON such as"),
        ('{"default": {}, "default": {}}', "expected every key once; got 'default'"),
        ('{"llm": {"limit": 1, "limit": 2}}', "expected every key once; got 'limit'"),
        ('{"lmm": {}}', "expected policies among default, llm, questions, auth; got 'lmm'"),
        ('{"llm": {"limits": 1}}', "RATE_LIMITS llm: expected fields among limit, window, tokens, concurrency"),
        ('{"llm": {"limit": true}}', "RATE_LIMITS llm.limit: expected a whole number from 1 to 1000000000; got 'True'"),
        ('{"llm": {"limit": 1.0}}', "RATE_LIMITS llm.limit: expected a whole number"),
        ('{"llm": {"limit": 0}}', "RATE_LIMITS llm.limit: expected a whole number"),
        ('{"llm": {"limit": null}}', "RATE_LIMITS llm.limit: expected a whole number"),
        ('{"llm": {"window": NaN}}', "RATE_LIMITS llm.window: expected seconds"),
        ('{"llm": {"window": 1e999}}', "RATE_LIMITS llm.window: expected seconds"),
        ('{"llm": {"window": ' + "9" * 400 + "}}", "RATE_LIMITS llm.window: expected seconds"),
        ('{"llm": {"window": ' + "9" * 5000 + "}}", "expected JSON such as"),
        ('{"llm": 3}', "RATE_LIMITS llm: expected a JSON object; got '3'"),
    ],
)
def test_bad_rate_limits_are_named(value, part):
    """Wrong JSON, names, types and numbers in `RATE_LIMITS` stop start-up."""
    assert part in refusal(RATE_LIMITS=value)


def test_rate_limits_override_field_by_field():
    """What is not given keeps its built-in value."""
    given_limits = {"llm": {"limit": 5, "tokens": None}, "default": {"window": 0.5}}
    limits = Settings.load({"RATE_LIMITS": json.dumps(given_limits)}).rate_limits
    assert limits["llm"] == RateLimitPolicy(5, 60.0, tokens=None, concurrency=4)
    assert limits["default"] == RateLimitPolicy(300, 0.5)
    assert limits["auth"] == RateLimitPolicy(30, 60.0)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("JWT_SECRT", "JWT_SECRET"),
        ("JWT_SERCET", "JWT_SECRET"),
        ("OTEL_EXPORTER_OTLP_ENDPONT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("RATE_LIMIT", "RATE_LIMITS"),
        ("SENTRY_DNS", "SENTRY_DSN"),
        ("ALLOWED_HOST", "ALLOWED_HOSTS"),
        ("jwt_secret", "JWT_SECRET"),
        ("PII_PSEUDONIM_KEY", "PII_PSEUDONYM_KEY"),
    ],
)
def test_a_misspelt_name_stops_the_start(name, meant):
    """A name that is almost ours is refused with the right one, and without its value."""
    assert refusal(**{name: SECRET}) == f"{name}: unknown setting; did you mean {meant}?"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("PII_POLICY", "PII_POLICY_FILES"),
        ("PROMPT_CACHE_TTL", "PROMPT_CACHE_TTL_SECONDS"),
        ("SHUTDOWN_GRACE_PERIOD_SECONDS", "SHUTDOWN_GRACE_SECONDS"),
        ("CORS_ALLOW_ORIGINS", "CORS_ORIGINS"),
    ],
)
def test_a_name_that_resembles_ours_is_said(name, meant):
    """It may be somebody else's, so nothing stops; it is said unless the right one is given too."""
    assert advice(Settings.load({name: SECRET})) == (f"{name}: not read; did you mean {meant}?",)
    right = {"TRUSTED_PROXIES": "none", "PII_POLICY_FILES": __file__, "CORS_ORIGINS": "none"}
    assert not advice(Settings.load({name: SECRET, meant: right.get(meant, "20")}))


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "HOSTNAME",
        "POST",
        "PORTS",
        "SHELL",
        "PWD",
        "OLDPWD",
        "LANG",
        "LC_ALL",
        "TERM",
        "USER",
        "LOGNAME",
        "LOGLEVEL",
        "DATADIR",
        "VIRTUAL_ENV",
        "http_proxy",
        "HTTPS_PROXY",
        "NO_PROXY",
        "PYTHONPATH",
        "KUBERNETES_SERVICE_HOST",
        "KUBERNETES_PORT",
        "REDIS_HOST",
        "REDIS_PORT",
        "REDIS_SERVICE_HOST",
        "DATABASE_HOST",
        "SENTRY_RELEASE",
        "SENTRY_ENVIRONMENT",
        "SENTRY_PROFILES_SAMPLE_RATE",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "OTEL_TRACES_EXPORTER",
        "OTEL_LOGS_EXPORTER",
        "OTEL_METRICS_EXPORTER",
        "OTEL_PROPAGATORS",
        "OTEL_SDK_DISABLED",
        "OTEL_BSP_SCHEDULE_DELAY",
        "OTEL_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_LOG_LEVEL",
        "OTEL_SEMCONV_STABILITY_OPT_IN",
        "ANTHROPIC_MODEL",
        "ANTHROPIC_AUTH_TOKEN",
        "JWT_SECRET_KEY",
        "JAEGER_PORT",
        "JAEGER_AGENT_HOST",
        "LLM_API_KEY",
        "LLM_PROVIDER_URL",
        "LOG_FORMATTER",
        "LOG_LEVEL_ROOT",
        "OTEL_SERVICE_VERSION",
        "DATABASE_URL_READ_ONLY",
        "APP_CORS_ORIGINS",
        "DJANGO_ALLOWED_HOSTS",
        "DOCKER_ENABLED",
        "PGDATA_DIR",
        "PII_POLICY\x1b[31m",
        "FORWARDED_ALLOW_IPS",
        "UVICORN_PORT",
        "GIT_AUTHOR_NAME",
        "CI",
        "DEBUG",
    ],
)
def test_other_programs_names_are_left_alone(name):
    """Names that other programs use never stop start-up."""
    assert Settings.load({name: "anything"}) == Settings.load({})


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"JWT_SECRET": ""}, "JWT_SECRET"),
        ({"JWT_SECRET": "development-" + SECRET}, "JWT_SECRET"),
        ({"JWT_SECRET": "a" * 64}, "JWT_SECRET"),
        ({"LLM_PROVIDER": ""}, "LLM_PROVIDER"),
        ({"LLM_PROVIDER": "anthropic,simulated"}, "LLM_PROVIDER"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "none"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "a.example.com,*"}, "ALLOWED_HOSTS"),
        ({"CORS_ORIGINS": "*"}, "CORS_ORIGINS"),
        ({"CONSOLE_PORT": "8100"}, "CONSOLE_PORT"),
        (
            {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"},
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
        ),
        ({"JWT_SECRET": "", "JWT_ALGORITHM": "RS256", "JWT_JWKS_URL": "https://k.example/"}, "JWT_AUDIENCE"),
    ],
)
def test_production_refuses(changes, name):
    """What is fine on a desk is refused in production."""
    Settings.load(PRODUCTION)
    assert refusal(**{**PRODUCTION, **changes}).startswith(f"{name}: expected")


def test_production_defaults():
    """In production the documentation is off, and a missing pseudonym key is said."""
    settings = Settings.load(PRODUCTION)
    assert not settings.docs_enabled
    assert advice(settings)
    assert not advice(Settings.load({**PRODUCTION, "PII_PSEUDONYM_KEY": SECRET}))
    assert not advice(Settings.load({}))


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"JWT_JWKS_URL": "https://k.example/", "JWT_ALGORITHM": "HS256"}, "JWT_ALGORITHM"),
        ({"JWT_JWKS_URL": "https://k.example/"}, "JWT_ALGORITHM"),
        ({"JWT_JWKS_URL": "https://k.example/", "JWT_ALGORITHM": "ES256", "JWT_SECRET": SECRET}, "JWT_SECRET"),
        ({"JWT_JWKS_URL": "https://user:pw@k.example/", "JWT_ALGORITHM": "ES256"}, "JWT_JWKS_URL"),
        ({"JWT_ALGORITHM": "none"}, "JWT_ALGORITHM"),
        ({"JWT_ALGORITHM": "HS512", "JWT_SECRET": SECRET}, "JWT_SECRET"),
    ],
)
def test_tokens_have_one_kind_of_key(environ, name):
    """A secret never meets a key set, and every algorithm has the key it needs."""
    assert refusal(**environ).startswith(f"{name}: expected")


@pytest.mark.parametrize(
    "url",
    [
        "redis://cache",
        "redis://cache:6380/3",
        "redis://ada:s3cret@cache:6379/0",
        "redis://:s3cret@[2001:db8::1]",
        "rediss://cache.example.com:6380",
        "unix:///run/redis/redis.sock",
        "unix://ada:s3cret@/run/redis/redis.sock?db=2",
    ],
)
def test_addresses_of_redis(url):
    """TCP, TLS and a Unix socket, with or without a user, a password and a database's number."""
    assert Settings.load({"REDIS_URL": url}).redis_url == url


@pytest.mark.parametrize(
    "url",
    [
        "cache:6379",
        "http://cache",
        "redis://",
        "redis://:s3cret@",
        "redis://:s3cret@cache:port",
        "redis://:s3cret@cache/name",
        "redis://:s3cret@cache/0/1",
        "redis://:s3cret@cache?socket_timeout=1",
        "redis://:s3cret@cache/0#fragment",
        "unix://cache",
        "unix:///run/redis.sock?db=zero",
        "unix:///run/redis.sock?password=s3cret",
    ],
)
def test_what_is_no_address_of_redis(url):
    """It is refused in one line, which shows nothing of it."""
    line = refusal(REDIS_URL=url)
    assert line == (
        "REDIS_URL: expected redis://user:password@host:6379/0, rediss://... for TLS, or unix:///path/to/socket?db=0"
    )


def test_redis_in_production_needs_the_key_of_its_names():
    """Digests without a key can be tried out, and processes with different ones would not count together."""
    given = {**PRODUCTION, "REDIS_URL": "redis://cache"}
    assert refusal(**given).startswith("PII_PSEUDONYM_KEY: expected one")
    assert Settings.load({**given, "PII_PSEUDONYM_KEY": SECRET}).redis_url == "redis://cache"


def test_lists():
    """Networks, origins and hosts are separated by commas; `none` is an empty list."""
    settings = Settings.load(
        {
            "TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1,2001:db8::/32",
            "CORS_ORIGINS": "https://App.example.com, http://localhost:3000",
            "ALLOWED_HOSTS": "API.example.com,*.example.org,127.0.0.1",
            "METRICS_ALLOW": "none",
        }
    )
    assert settings.trusted_proxies == tuple(
        ip_network(cidr) for cidr in ("10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32")
    )
    assert settings.cors_origins == ("https://app.example.com", "http://localhost:3000")
    assert settings.allowed_hosts == ("api.example.com", "*.example.org", "127.0.0.1")
    assert settings.metrics_allow == settings.telemetry.metrics_allow == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CORS_ORIGINS", "https://a.example/"),
        ("CORS_ORIGINS", "a.example"),
        ("CORS_ORIGINS", "null"),
        ("ALLOWED_HOSTS", "https://a.example"),
        ("ALLOWED_HOSTS", "a.example:443"),
        ("ALLOWED_HOSTS", "*."),
        ("TRUSTED_PROXIES", "proxy"),
        ("METRICS_ALLOW", "10.0.0.0/33"),
        ("JAEGER_URL", "localhost:16686"),
    ],
)
def test_bad_list_items(name, value):
    """An item that could never match stops start-up instead of matching nothing."""
    assert refusal(**{name: value}).startswith(f"{name}: expected")


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:hunter2@h/d",
        "postgresql://u:hunter2@h/d",
        "postgresql+asyncpg://u:hunter2@h:port/d",
        "postgresql+asyncpg://u:hunter2@h",
        "mysql://u:hunter2@h/d",
        "sqlite:///hunter2",
        "sqlite+aiosqlite:///",
        "sqlite+aiosqlite:///:memory:",
        "hunter2",
    ],
)
def test_a_database_url_is_never_shown(url):
    """A URL of another dialect is refused without its password."""
    line = refusal(DATABASE_URL=url)
    assert line.startswith("DATABASE_URL: expected postgresql+asyncpg://")
    assert "hunter2" not in line


def test_opentelemetry_names_keep_their_meaning():
    """Attributes and headers are percent-decoded; the service name outranks the attribute."""
    telemetry = Settings.load(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318/",
            "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Basic%20YWJj,x-tenant=a%2Cb",
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=other,service.version=7,team=caf%C3%A9 , region = eu",
            "OTEL_SERVICE_NAME": "mine",
            "OTEL_TRACES_SAMPLER": "traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.25",
        }
    ).telemetry
    assert telemetry.otlp_endpoint == "http://localhost:4318"
    assert telemetry.otlp_headers == {"Authorization": "Basic YWJj", "x-tenant": "a,b"}
    assert telemetry.resource_attributes["team"] == "café"
    assert telemetry.resource_attributes["region"] == "eu"
    assert (telemetry.service_name, telemetry.service_version) == ("mine", "7")
    assert (telemetry.sampler, telemetry.sampler_ratio) == ("traceidratio", 0.25)


@pytest.mark.parametrize("name", ["content-encoding", "Content-Length", "host", "transfer-encoding"])
def test_headers_of_the_exporters_own(name):
    """A header that says how the export is written cannot be set: nothing would arrive."""
    expected = f"OTEL_EXPORTER_OTLP_HEADERS: expected no {name.lower()}: the exporter sets it"
    assert refusal(OTEL_EXPORTER_OTLP_HEADERS=f"x-tenant=a,{name}=5") == expected


@pytest.mark.parametrize("value", ["a", "a=%zz", "a=%ff", "=b", "a b=c", "a=%0d%0aevil: 1"])
def test_bad_pairs(value):
    """Pairs that cannot be decoded are refused; headers are not shown."""
    assert refusal(OTEL_RESOURCE_ATTRIBUTES=value).startswith("OTEL_RESOURCE_ATTRIBUTES: expected key=value")
    expected = "expected key=value pairs separated by commas, values percent-encoded"
    assert refusal(OTEL_EXPORTER_OTLP_HEADERS=value) == f"OTEL_EXPORTER_OTLP_HEADERS: {expected}"


def test_an_endpoint_with_a_password_is_not_shown():
    """A bad endpoint is shown, unless it may hold a password."""
    assert "'collector'" in refusal(OTEL_EXPORTER_OTLP_ENDPOINT="collector")
    assert "hunter2" not in refusal(OTEL_EXPORTER_OTLP_ENDPOINT="ftp://u:hunter2@h/")


def test_a_key_in_the_wrong_setting_is_not_shown():
    """A key that was put where it does not belong is not repeated; the rest of the value is."""
    line = refusal(LLM_PROVIDER="sk-ant-api03-SECRETabcdefghijklmnop/nobody")
    assert line.endswith("; got '[REDACTED:api_key]/nobody'")


def test_secrets_show_nowhere():
    """The representation of settings shows no secret."""
    environ = {
        **PRODUCTION,
        "ANTHROPIC_API_KEY": SECRET,
        "OPENROUTER_API_KEY": SECRET,
        "SENTRY_DSN": f"https://{SECRET}@sentry.example/1",
        "DATABASE_URL": f"postgresql+asyncpg://u:{SECRET}@h/d",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://u:{SECRET}@h:4318",
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={SECRET}",
        "PII_PSEUDONYM_KEY": SECRET,
    }
    settings = Settings.load(environ)
    assert settings.jwt_secret == Secret(SECRET.encode())
    assert SECRET not in f"{settings!r} {settings} {settings.jwt_secret}"


def test_the_version_is_the_project_s():
    """What telemetry reports is the version that is built."""
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    assert f'\nversion = "{__version__}"\n' in text


VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["*", "none", "{}", "[]", "a=b", "https://[::1", "http://h:99999", "\ud800", "\0", "-0", "1e5"]),
    st.from_regex(r"(https?|sqlite\+aiosqlite|postgresql\+asyncpg)://[a-z@:/\[\]%.0-9]{0,20}", fullmatch=True),
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=8), lambda v: st.dictionaries(
        st.sampled_from(["llm", "default", "limit", "window", "tokens", "x"]), v, max_size=3)).map(json.dumps),
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(sorted(KNOWN)) | st.text(max_size=30), VALUES, max_size=4))
@example({"RATE_LIMITS": '{"llm": {"window": -0.0}}'})
@example({"OTEL_EXPORTER_OTLP_CLIENT_KEY": "x" * 5000})
@example({"PII_POLICY_FILES": "x" * 5000})
def test_no_environment_gives_a_traceback(environ):
    """Whatever the environment holds, the outcome is settings or one printable line."""
    line = ""
    try:
        Settings.load(environ)
    except SettingsError as refused:
        line = str(refused)
    assert line.isprintable()


@given(st.sampled_from(SECRETS), st.text(max_size=6), st.text(max_size=6))
def test_no_environment_shows_a_secret(name, before, after):
    """Whatever surrounds a secret, neither the line nor the representation shows it."""
    marker = "Zq7Zq7Zq7"
    try:
        shown = repr(Settings.load({name: f"{before}{marker}{after}"}))
    except SettingsError as refused:
        shown = str(refused)
    assert marker not in shown
