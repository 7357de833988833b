"""What a service tells its telemetry: frozen and complete; reading the environment is the service's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network

LOOPBACK_AND_PRIVATE: tuple[Network, ...] = tuple(
    ip_network(cidr) for cidr in ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)

Sampler = Literal[
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
]


LogFormat = Literal["json", "console"]
LogLevel = Literal["debug", "info", "warning", "error", "critical"]
SHORTEST_KEY = 16
"""Bytes that a key of pseudonyms has at least: a shorter one could be found by trying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySettings:
    """Settings of one instrumented application.

    Attributes:
        service_name: `service.name` of the resource.
        service_version: `service.version` of the resource.
        environment: `deployment.environment.name` of the resource.
        resource_attributes: more resource attributes.
        otlp_endpoint: base URL of an OTLP/HTTP receiver; None: nothing is exported.
        otlp_headers: headers sent with each export (credentials: never shown).
        sampler: an OpenTelemetry sampler by its standard name.
        sampler_ratio: share of traces, 0 to 1, for the ratio samplers.
        log_format: one JSON object a line, or a readable console.
        log_level: the lowest level that is written.
        sentry_dsn: where unhandled errors go; None: nowhere (a credential: never shown).
        sentry_traces_sample_rate: share of requests sent to Sentry as transactions, 0 to 1.
        trusted_proxies: networks whose forwarding and trace headers are believed.
        metrics_allow: networks that may read `/metrics`.
        metrics_path: where the metrics are.
        probe_paths: paths without trace, and without access event unless they fail.
        pseudonym_key: key of the pseudonyms; None: plain placeholders.
        policy_files: privacy policy files of the user's own, added to the built-in policy in this order.
        genai_content: whether spans of language models have previews of what was asked and answered.

    Raises:
        ValueError: one of them cannot be; its name and what is expected, without its value.
    """

    service_name: str
    service_version: str = "0"
    environment: str = "development"
    resource_attributes: Mapping[str, str] = field(default_factory=dict)
    otlp_endpoint: str | None = None
    otlp_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    sampler: Sampler = "parentbased_always_on"
    sampler_ratio: float = 1.0
    log_format: LogFormat = "json"
    log_level: LogLevel = "info"
    sentry_dsn: str | None = field(default=None, repr=False)
    sentry_traces_sample_rate: float = 0.1
    trusted_proxies: tuple[Network, ...] = ()
    metrics_allow: tuple[Network, ...] = LOOPBACK_AND_PRIVATE
    metrics_path: str = "/metrics"
    probe_paths: frozenset[str] = frozenset({"/healthz", "/readyz"})
    pseudonym_key: bytes | None = field(default=None, repr=False)
    policy_files: tuple[Path, ...] = ()
    genai_content: bool = False

    def __post_init__(self) -> None:
        """Look at each, so that a mistake is not found by what is missing later."""
        for name, expected in self._wrong():
            raise ValueError(f"{name}: expected {expected}")

    def _wrong(self) -> Iterator[tuple[str, str]]:
        if not self.service_name:
            yield "service_name", "a name"
        if self.otlp_endpoint is not None and not _is_web_url(self.otlp_endpoint):
            yield "otlp_endpoint", "a URL such as http://127.0.0.1:4318"
        if self.sentry_dsn is not None and not _is_dsn(self.sentry_dsn):
            yield "sentry_dsn", "a DSN such as https://key@host/project"
        for name, kind in (("sampler", Sampler), ("log_format", LogFormat), ("log_level", LogLevel)):
            if getattr(self, name) not in get_args(kind):
                yield name, f"one of {', '.join(get_args(kind))}"
        for name in ("sampler_ratio", "sentry_traces_sample_rate"):
            if not 0 <= getattr(self, name) <= 1:
                yield name, "a number from 0 to 1"
        key = self.pseudonym_key
        if key is not None and (not isinstance(key, bytes) or len(key) < SHORTEST_KEY):
            yield "pseudonym_key", f"at least {SHORTEST_KEY} bytes"
        if not all(isinstance(file, Path) for file in self.policy_files):
            yield "policy_files", "a tuple of paths, such as (Path('ours.toml'),)"

    @property
    def untraced_paths(self) -> frozenset[str]:
        """The probes and the metrics: what asks about the service is no part of its story."""
        return self.probe_paths | {self.metrics_path}


def _is_web_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:  # a port over 65,535, half an IPv6 address
        return False


def _is_dsn(text: str) -> bool:
    return _is_web_url(text) and bool(urlsplit(text).username) and text.rpartition("/")[2].isdecimal()
