"""The rate limit: a sliding window per policy, and per principal or client address."""

from collections.abc import Callable, Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import RateLimited
from service.limits import DecisionMetrics, Limiter, Metrics
from service.middleware.gateway import address_key
from service.middleware.rate_limit_headers import rate_limit_headers
from service.middleware.refusal import refuse
from telemetry import current_request, get_logger, names

NAME = "rate_limit"
REASONS = ("refused",)

log = get_logger(__name__)


class RateLimit:
    """Counts each request under its route's policy; announces the state, refuses with 429.

    Unknown paths and methods count too (under `default`), so that scanning is limited like use; a
    route without a policy (probes) is exempt.

    Args:
        app: what stands behind it.
        limiter: keeps the counts.
        policies: names of the policies that exist; their metrics exist at 0 from the start.
        metrics: gives where the decisions are counted; called when the layer is built, since the
            telemetry that has them is made with the layers.
    """

    def __init__(
        self, app: ASGIApp, *, limiter: Limiter, policies: Iterable[str], metrics: Callable[[], Metrics]
    ) -> None:
        self.app = app
        self._limiter = limiter
        registry = metrics()
        self._count = DecisionMetrics(registry, policies).count
        registry.counter(names.RATE_LIMIT_BACKEND_ERRORS)
        registry.gauge(names.RATE_LIMIT_BACKEND_UP, "memory").set(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Limit one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        policy: str | None = scope["access"].policy
        if policy is None:
            await self.app(scope, receive, send)
            return
        record = current_request(scope)
        principal = record.principal
        # The two name spaces are kept apart: a subject that looks like an address is not one.
        key = address_key(record.client) if principal is None else f"sub:{principal}"
        decision = await self._limiter.hit(policy, key)
        record.response_headers.extend(rate_limit_headers(policy, decision))
        self._count(policy, decision)
        if decision.allowed:
            record.rate_limit = "allowed"
            await self.app(scope, receive, send)
            return
        record.rate_limit = "refused"
        log.info(names.RATE_LIMIT_REFUSED, policy=policy)
        limited = RateLimited(policy, decision.limit, decision.window, decision.resets_in)
        await refuse(limited, scope, receive, send, layer=NAME, reason="refused")
