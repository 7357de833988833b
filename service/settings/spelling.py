"""Environment names that are ours but for a slip of the pen.

A misspelt name would otherwise do nothing, in silence: `JWT_SECRT` would start a service with another
secret. The environment is full of names that are not ours, so only what is very near to a long name of
ours counts, and what other programs are known to use never does. What is less near stops nothing, and is said.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from types import MappingProxyType

from service.settings.errors import SettingsError

KNOWN = frozenset(
    {
        "ALLOWED_HOSTS",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "CONSOLE_PORT",
        "CORS_ORIGINS",
        "DATABASE_URL",
        "DATA_DIR",
        "DOCS_ENABLED",
        "DRAIN_SECONDS",
        "ENABLE_PROMPT_CACHING",
        "ENVIRONMENT",
        "HOST",
        "JAEGER_URL",
        "JWT_ALGORITHM",
        "JWT_AUDIENCE",
        "JWT_ISSUER",
        "JWT_JWKS_URL",
        "JWT_SECRET",
        "LLM_BUDGETS",
        "LLM_CONNECT_SECONDS",
        "LLM_FIRST_TOKEN_SECONDS",
        "LLM_MODEL",
        "LLM_PRICES",
        "LLM_PROVIDER",
        "LLM_TOTAL_SECONDS",
        "LOG_FORMAT",
        "LOG_LEVEL",
        "MAX_BODY_BYTES",
        "METRICS_ALLOW",
        "OPENROUTER_API_KEY",
        "OPENROUTER_BASE_URL",
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        "OTEL_EXPORTER_OTLP_CLIENT_KEY",
        "OTEL_EXPORTER_OTLP_COMPRESSION",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
        "OTEL_RESOURCE_ATTRIBUTES",
        "OTEL_SERVICE_NAME",
        "OTEL_TRACES_SAMPLER",
        "OTEL_TRACES_SAMPLER_ARG",
        "PII_POLICY_FILES",
        "PII_PSEUDONYM_KEY",
        "PORT",
        "PROMPT_CACHE_TTL_SECONDS",
        "PROMPT_CACHE_WARM_ON_STARTUP",
        "RATE_LIMITS",
        "REDIS_URL",
        "SENTRY_DSN",
        "SENTRY_TRACES_SAMPLE_RATE",
        "SHUTDOWN_GRACE_SECONDS",
        "SIMULATED_PROVIDER_URL",
        "TRUSTED_PROXIES",
        "WEB_CONCURRENCY",
    }
)
# Other programs' names that happen to stand next to ours.
_OTHERS = frozenset({"DATADIR", "LOGFORMAT", "LOGLEVEL", "OTEL_TRACES_EXPORTER"})
_LONG_ENOUGH = 8
_TWO_SLIPS_FROM = 12
# Families that other programs have settings in too: what is only similar to ours is most likely one of theirs.
_SHARED = ("ANTHROPIC_", "DATABASE_", "LOG_", "OPENROUTER_", "OTEL_", "REDIS_", "SENTRY_", "WEB_")
# None of 1,816 names in installed packages that read the environment is so similar to ours; TRUSTED_PROXY is: 0.857.
_SIMILAR = 0.8
_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")


def refuse_misspelt(names: Iterable[str]) -> None:
    """Stop at the first name that is nearly, but not quite, one of ours.

    Raises:
        SettingsError: Names both spellings.
    """
    given = frozenset(names)
    for name in sorted(given - KNOWN - _OTHERS):
        meant = _meant(name)
        # Given as well under its right name, the other one is most likely somebody else's.
        if meant is not None and meant not in given:
            raise SettingsError(name, f"unknown setting; did you mean {meant}?")


def similar(names: Iterable[str]) -> Mapping[str, str]:
    """Give the names that nobody reads and that may be meant for one of ours, each with that one."""
    given = frozenset(names)
    found = ((name, _resembled(name)) for name in sorted(given - KNOWN - _OTHERS))
    return MappingProxyType({name: ours for name, ours in found if ours is not None and ours not in given})


def _resembled(name: str) -> str | None:
    for ours in sorted(KNOWN):
        ours_alone = len(ours) >= _TWO_SLIPS_FROM and not ours.startswith(_SHARED)
        if not ours_alone or not _NAME.fullmatch(name) or not name.startswith(f"{ours.partition('_')[0]}_"):
            continue
        if name.startswith(f"{ours}_"):  # something of it, and somebody else's
            continue
        if ours.startswith(f"{name}_") or SequenceMatcher(None, name, ours).ratio() >= _SIMILAR:
            return ours
    return None


def _meant(name: str) -> str | None:
    for ours in sorted(KNOWN):
        slips = 2 if len(ours) >= _TWO_SLIPS_FROM else 1
        if len(ours) < _LONG_ENOUGH or abs(len(name) - len(ours)) > slips:
            continue
        if name.upper() == ours or _distance(name, ours) <= slips:
            return ours
    return None


def _distance(left: str, right: str) -> int:
    """Count insertions, deletions, replacements and swaps of neighbours (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
