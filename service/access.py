"""Who may call a route and under which limit: said at the route, audited at start-up, default deny.

A route says it with `**bearer()` or `**public()` in its decorator; the OpenAPI document
carries the same decision, so the two cannot drift apart. `audit` refuses an application in which a
route says nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Request
from fastapi.routing import RouteContext

from telemetry.routes import templates

SECURITY_SCHEME = "bearer"
POLICY_FIELD = "x-rate-limit-policy"
DEFAULT_POLICY = "default"
AUTH_POLICY = "auth"  # the gateway's own, for failed tokens; no route counts under it


class AuditError(Exception):
    """A route without a decision, or two routes that collide; the text is one line naming the route."""


@dataclass(frozen=True, slots=True)
class Access:
    """One route's decision.

    Args:
        auth: `bearer` needs a token, `public` nothing, `address` is judged by the handler by client address.
        policy: the rate limit policy it counts under; None is exempt.
    """

    auth: Literal["bearer", "public", "address"]
    policy: str | None


DENIED = Access("bearer", DEFAULT_POLICY)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: the verified token's `sub` and roles."""

    subject: str
    roles: frozenset[str] = frozenset()


def bearer(policy: str = DEFAULT_POLICY) -> dict[str, Any]:
    """Arguments of a route decorator: a bearer token is needed, `policy` limits it."""
    return {"openapi_extra": {"security": [{SECURITY_SCHEME: []}], POLICY_FIELD: policy}}


def public(policy: str | None = DEFAULT_POLICY) -> dict[str, Any]:
    """Arguments of a route decorator: anyone may call; None exempts it from limits (probes only)."""
    return {"openapi_extra": {"security": [], POLICY_FIELD: policy}}


async def current_principal(request: Request) -> Principal:
    """The principal that the gateway verified.

    Raises:
        KeyError: on a route that is not `bearer`; the audit refuses such a route at start-up.
    """
    principal: Principal = request.scope["principal"]
    return principal


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


class AccessMap:
    """Finds the decision for a request; what no route declares is denied without a token.

    Args:
        declared: what `audit` returned.
    """

    def __init__(self, declared: Mapping[tuple[str, str], Access]) -> None:
        self._declared = dict(declared)
        by_route: dict[str, set[Access]] = {}
        for (_, route), access in declared.items():
            by_route.setdefault(route, set()).add(access)
        # An unknown method on a path that is open anyway earns its 405, not a 401; elsewhere a caller
        # without a token learns nothing about which methods exist.
        self._any_method = {
            route: next(iter(found))
            for route, found in by_route.items()
            if len(found) == 1 and next(iter(found)).auth != "bearer"
        }

    def resolve(self, method: str, route: str) -> Access:
        """The access of `method` (as received) on `route` (a template, or `unmatched`)."""
        found = self._declared.get((method, route))
        return found if found is not None else self._any_method.get(route, DENIED)


def audit(app: FastAPI, policies: Collection[str]) -> dict[tuple[str, str], Access]:
    """Read every route's decision.

    Args:
        app: the application, all its routes added.
        policies: names of the rate limit policies that exist.

    Returns:
        The decision by method and full route template, mounted applications included.

    Raises:
        AuditError: no authentication decision, no limit policy, an unknown policy, a public route that
            asks for the principal, a method declared twice, a colliding operation id, or something that
            cannot be audited (a WebSocket, a foreign ASGI application).
    """
    declared: dict[tuple[str, str], Access] = {}
    operations: dict[str, str] = {}
    for template in templates(app.routes):
        path, route = template.shown, template.route
        if not template.methods:
            raise AuditError(f"{template.path}: no HTTP route, and nothing else passes the gateway")
        access = _decision(path, route, policies)
        for method in sorted(template.methods):
            label = f"{method} {path}"
            if (method, path) in declared:
                raise AuditError(f"{label}: declared twice")
            declared[method, path] = access
            if not route.include_in_schema:
                continue
            operation = route.operation_id or route.unique_id
            if operation in operations:
                raise AuditError(f"{label}: operation id {operation!r} is already {operations[operation]}'s")
            operations[operation] = label
    return declared


def _decision(path: str, route: RouteContext, policies: Collection[str]) -> Access:
    label = f"{'/'.join(sorted(route.methods or ()))} {path}"
    said: dict[str, Any] = getattr(route, "openapi_extra", None) or {}
    if "security" not in said:
        raise AuditError(f"{label}: no authentication decision; say bearer() or public()")
    if POLICY_FIELD not in said:
        raise AuditError(f"{label}: no rate limit policy")
    policy = said[POLICY_FIELD]
    if policy is not None and (policy not in policies or policy == AUTH_POLICY):
        raise AuditError(f"{label}: unknown rate limit policy {policy!r}")
    if said["security"]:
        if policy is None:
            raise AuditError(f"{label}: a route with a token needs a rate limit policy")
        return Access("bearer", policy)
    if _asks_for_principal(route.dependant):
        raise AuditError(f"{label}: asks for the principal but needs no token")
    return Access("public", policy)


def _asks_for_principal(dependant: Any) -> bool:  # noqa: ANN401 - FastAPI's Dependant is not public
    return any(child.call is current_principal or _asks_for_principal(child) for child in dependant.dependencies)
