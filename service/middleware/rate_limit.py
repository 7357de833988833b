"""The rate limit: a sliding window per policy, and per principal or client address."""

from collections.abc import Callable, Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import RateLimited
from service.limits import Limiter, Metrics
from service.middleware.refusal import refuse
from service.middleware.request_limit import RequestLimit
from telemetry import current_request

NAME = "rate_limit"
REASONS = ("refused",)


class RateLimit:
    """Counts each request under its route's policy; announces the state, refuses with 429.

    Unknown paths and methods count too (under `default`); a route without a policy (probes) is exempt.

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
        self._limit = RequestLimit(limiter, policies, metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Limit one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        policy: str | None = scope["access"].policy
        if policy is not None:
            try:
                await self._limit.hit(current_request(scope), policy)
            except RateLimited as limited:
                await refuse(limited, scope, receive, send, layer=NAME, reason="refused")
                return
        await self.app(scope, receive, send)
