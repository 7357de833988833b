"""The service's layers, in the order in which a request passes them."""

from collections.abc import Callable, Mapping

from service.access import AUTH_POLICY, Access, AccessMap
from service.auth import Verifier
from service.auth.errors import REASONS as TOKEN_REASONS
from service.limits import Limiter, Metrics
from service.middleware import gateway, owasp, rate_limit
from service.middleware.cors import Cors
from service.middleware.gateway import Gateway
from service.middleware.hosts import Hosts
from service.middleware.owasp import Owasp
from service.middleware.rate_limit import RateLimit
from service.middleware.response_headers import ResponseHeaders
from service.settings import Settings
from telemetry import Layer

__all__ = ["REJECTIONS", "ResponseHeaders", "response_headers", "stack"]

# Every (layer, reason) that can be counted, so that each exists at 0 from the start.
REJECTIONS: tuple[tuple[str, str], ...] = (
    *((gateway.NAME, reason) for reason in (*TOKEN_REASONS, *gateway.REASONS)),
    *((rate_limit.NAME, reason) for reason in rate_limit.REASONS),
    *((owasp.NAME, reason) for reason in owasp.REASONS),
)


def stack(
    settings: Settings,
    *,
    access: Mapping[tuple[str, str], Access],
    limiter: Limiter,
    verifier: Verifier,
    metrics: Callable[[], Metrics],
) -> tuple[Layer, ...]:
    """The layers, outermost first; telemetry's correlation stands before them all.

    Args:
        settings: of the service.
        access: what the audit found.
        limiter: counts requests and failed tokens.
        verifier: of bearer tokens.
        metrics: gives where limits are counted, when the layers are built.
    """
    # Failed tokens are the gateway's to count.
    request_policies = tuple(policy for policy in settings.rate_limits if policy != AUTH_POLICY)
    limit_options = {"limiter": limiter, "policies": request_policies, "metrics": metrics}
    gate_options = {"access": AccessMap(access), "verifier": verifier, **limit_options}
    guard_options = {
        "hosts": Hosts(settings.allowed_hosts),
        "cors": Cors(settings.cors_origins),
        "max_body_bytes": settings.max_body_bytes,
    }
    return (
        Layer(gateway.NAME, Gateway, gate_options),  # first: whose request it is decides whose limit it counts under
        Layer(rate_limit.NAME, RateLimit, limit_options),  # before anything that costs: a refused request reads no body
        Layer(owasp.NAME, Owasp, guard_options),  # last: only an admitted request's body is counted, as it is read
    )


def response_headers(settings: Settings) -> ResponseHeaders:
    """The hook that puts the security and CORS headers on every response."""
    return ResponseHeaders(Cors(settings.cors_origins), production=settings.production)
