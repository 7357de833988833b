"""Whether the process lives, and whether it wants traffic. Open to all and exempt from limits."""

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from service.access import public
from service.database import Database
from service.errors import ServiceError, Unavailable
from service.limits import Backend
from service.openapi import problems
from service.readiness import Readiness, State


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class RateLimits(BaseModel):
    """Who decides about rate limits now: each process for itself, all together, or each by its share."""

    decided_by: Literal["memory", "redis", "share"]
    reason: str | None = None


class Ready(Health):
    """The process wants traffic."""

    rate_limits: RateLimits


class NotReady(Unavailable):
    """The process lives, but must get no traffic.

    Args:
        reason: A word for whoever looks at the probe.
    """

    code = "not-ready"
    title = "Not Ready"
    default_detail = "The service takes no traffic at the moment."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason

    def extensions(self) -> dict[str, Any]:
        """Add the reason."""
        return {"reason": self.reason}


class _SharedPing:
    """One question to the database at a time, however many probes ask."""

    def __init__(self) -> None:
        self._asking: asyncio.Task[bool] | None = None

    async def __call__(self, database: Database) -> bool:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(database))
        # A probe that gives up must not take the answer from the others.
        return await asyncio.shield(self._asking)

    async def _ask(self, database: Database) -> bool:
        try:
            await database.ping()
        except ServiceError:
            return False
        return True


def health_router() -> APIRouter:
    """Make the routes `/healthz` and `/readyz`."""
    router = APIRouter(tags=["health"])
    ping = _SharedPing()

    # Load balancers probe with HEAD as well; nobody generates a client for it.
    @router.head("/healthz", include_in_schema=False, **public(policy=None))
    @router.get("/healthz", **public(policy=None))
    async def live() -> Health:
        """Say that the process answers; if not, restart it."""
        return Health()

    @router.head("/readyz", include_in_schema=False, response_model_exclude_none=True, **public(policy=None))
    @router.get("/readyz", responses=problems(503), response_model_exclude_none=True, **public(policy=None))
    async def ready(request: Request) -> Ready:
        """Say whether to send traffic here."""
        readiness: Readiness = request.app.state.readiness
        if readiness.state is not State.READY:
            raise NotReady(readiness.state)
        if not await ping(request.app.state.database):
            raise NotReady("database")
        counts: Backend = request.app.state.counts
        by, reason = counts.deciding()
        return Ready(rate_limits=RateLimits(decided_by=by, reason=reason))

    return router
