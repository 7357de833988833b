"""What a service tells its telemetry: frozen and complete; reading the environment is the service's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal

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
    """

    service_name: str
    service_version: str = "0"
    environment: str = "development"
    resource_attributes: Mapping[str, str] = field(default_factory=dict)
    otlp_endpoint: str | None = None
    otlp_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    sampler: Sampler = "parentbased_always_on"
    sampler_ratio: float = 1.0
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error", "critical"] = "info"
    sentry_dsn: str | None = field(default=None, repr=False)
    sentry_traces_sample_rate: float = 0.1
    trusted_proxies: tuple[Network, ...] = ()
    metrics_allow: tuple[Network, ...] = LOOPBACK_AND_PRIVATE
    metrics_path: str = "/metrics"
    probe_paths: frozenset[str] = frozenset({"/healthz", "/readyz"})
    pseudonym_key: bytes | None = field(default=None, repr=False)
    policy_files: tuple[Path, ...] = ()
    genai_content: bool = False

    @property
    def untraced_paths(self) -> frozenset[str]:
        """The probes and the metrics: what asks about the service is no part of its story."""
        return self.probe_paths | {self.metrics_path}
