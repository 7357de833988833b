"""What telemetry is told: the OpenTelemetry names with their meanings, Sentry's, and the log's."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast, get_args

from service import __version__
from service.settings import parsing
from service.settings.certificates import check_certificates, is_file
from service.settings.errors import SettingsError
from service.settings.parsing import Network
from service.settings.reader import Reader
from telemetry.settings import SHORTEST_KEY, LogFormat, LogLevel, Sampler, TelemetrySettings

SERVICE_NAME = "clearstory"
_PROTOCOL = "http/protobuf"
_OF_THE_EXPORTER = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "expect", "host", "te", "transfer-encoding"}
)


def read_telemetry(
    read: Reader,
    *,
    environment: str,
    trusted_proxies: tuple[Network, ...],
    metrics_allow: tuple[Network, ...],
    terminal: bool,
    genai_content: bool,
) -> TelemetrySettings:
    """Read the telemetry's part of the settings.

    Args:
        read: The environment.
        environment: `ENVIRONMENT`.
        trusted_proxies: `TRUSTED_PROXIES`.
        metrics_allow: `METRICS_ALLOW`.
        terminal: Whether standard output is a terminal.
        genai_content: Whether spans show a scrubbed beginning of what language models are told and say.

    Raises:
        SettingsError: The first name whose value cannot be used.
    """
    # gRPC is not installed; falling back to HTTP in silence would export to a port that cannot answer.
    read.choice("OTEL_EXPORTER_OTLP_PROTOCOL", (_PROTOCOL,), _PROTOCOL)
    # The exporters read these by themselves, and would fail at every export in silence.
    read.choice("OTEL_EXPORTER_OTLP_COMPRESSION", ("none", "gzip", "deflate"), "none")
    check_certificates(read)
    attributes = read.optional("OTEL_RESOURCE_ATTRIBUTES", _attributes) or {}
    sampler = read.choice("OTEL_TRACES_SAMPLER", get_args(Sampler), "parentbased_always_on")
    log_format = read.choice("LOG_FORMAT", get_args(LogFormat), "console" if terminal else "json")
    log_level = read.choice("LOG_LEVEL", get_args(LogLevel), "info")
    return TelemetrySettings(
        service_name=read.text("OTEL_SERVICE_NAME", attributes.get("service.name", SERVICE_NAME)),
        service_version=attributes.get("service.version", __version__),
        environment=attributes.get("deployment.environment.name", environment),
        resource_attributes=attributes,
        otlp_endpoint=read.optional("OTEL_EXPORTER_OTLP_ENDPOINT", parsing.web_url),
        otlp_headers=read.optional("OTEL_EXPORTER_OTLP_HEADERS", _headers) or {},
        sampler=cast("Sampler", sampler),
        sampler_ratio=read.number("OTEL_TRACES_SAMPLER_ARG", 1.0, low=0.0, high=1.0),
        log_format=cast("LogFormat", log_format),
        log_level=cast("LogLevel", log_level),
        sentry_dsn=read.optional("SENTRY_DSN", _dsn),
        sentry_traces_sample_rate=read.number("SENTRY_TRACES_SAMPLE_RATE", 0.1, low=0.0, high=1.0),
        trusted_proxies=trusted_proxies,
        metrics_allow=metrics_allow,
        pseudonym_key=_pseudonym_key(read),
        policy_files=read.optional("PII_POLICY_FILES", _policy_files) or (),
        genai_content=genai_content,
    )


def _attributes(name: str, raw: str) -> Mapping[str, str]:
    return parsing.pairs(name, raw, secret=False)


def _headers(name: str, raw: str) -> Mapping[str, str]:
    headers = parsing.pairs(name, raw, secret=True)
    for key in headers:
        if key.lower() in _OF_THE_EXPORTER:
            raise SettingsError(name, f"expected no {key.lower()}: the exporter sets it")
    return headers


def _dsn(name: str, raw: str) -> str:
    """Read a Sentry DSN (`scheme://key@host/path/project`); it is a credential and never shown."""
    url = parsing.split_url(raw, ("http", "https"))
    project = "" if url is None else url.path.rpartition("/")[2]
    if url is None or not url.username or not project.isdecimal() or url.query or url.fragment:
        raise SettingsError(name, "expected a DSN such as https://key@host/project")
    return raw


def _policy_files(name: str, raw: str) -> tuple[Path, ...]:
    files = tuple(Path(part.strip()) for part in raw.split(os.pathsep))
    for file in files:
        if not is_file(file):
            raise SettingsError(name, f"expected paths of policy files; {str(file)!r} is none")
    return files


def _pseudonym_key(read: Reader) -> bytes | None:
    key = read.secret("PII_PSEUDONYM_KEY")
    if key is None:
        return None
    if len(key.reveal()) < SHORTEST_KEY:
        raise SettingsError("PII_PSEUDONYM_KEY", f"expected at least {SHORTEST_KEY} bytes")
    return key.reveal()
