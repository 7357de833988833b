"""The start-up audit: every route has a decision, or the service does not start."""

import pytest
from fastapi import APIRouter, FastAPI

from service.access import DENIED, Access, AccessMap, AuditError, CurrentPrincipal, audit, bearer, public
from tests.service.chain.chain import POLICIES, routes


def app_without_docs() -> FastAPI:
    """An application with no route at all."""
    return FastAPI(openapi_url=None, docs_url=None, redoc_url=None)


async def nothing() -> None:
    """An endpoint."""


def test_prefixed_nested_and_mounted_routes_are_found():
    """A route keeps its decision and its limit, however it was included (pains 5 and 6)."""
    found = audit(routes(), POLICIES)
    assert found["GET", "/api/inner/me/{part}"] == Access("bearer", "default")
    assert found["GET", "/api/llm"] == Access("bearer", "llm")
    assert found["GET", "/sub/deep/{thing}"] == Access("bearer", "llm")
    assert found["GET", "/healthz"] == Access("public", None)


def test_a_path_convertor_is_no_part_of_the_template():
    """The audit knows a route by the same template as the telemetry does."""
    app = app_without_docs()
    app.get("/files/{name:path}", **public())(nothing)
    assert ("GET", "/files/{name}") in audit(app, POLICIES)


@pytest.mark.parametrize(
    ("kwargs", "complaint"),
    [
        ({}, "GET /x: no authentication decision"),
        ({"openapi_extra": {"security": []}}, "GET /x: no rate limit policy"),
        (bearer("nope"), "GET /x: unknown rate limit policy 'nope'"),
        (public("nope"), "GET /x: unknown rate limit policy 'nope'"),
        (bearer("auth"), "GET /x: unknown rate limit policy 'auth'"),
        (
            {"openapi_extra": {"security": [{"bearer": []}], "x-rate-limit-policy": None}},
            "GET /x: a route with a token",
        ),
    ],
)
def test_an_undecided_route_stops_start_up(kwargs, complaint):
    """No decision, no policy or an unknown policy: one line that names the route."""
    app, router = app_without_docs(), APIRouter(prefix="/x")
    router.get("", **kwargs)(nothing)
    app.include_router(router)
    with pytest.raises(AuditError, match=complaint) as error:
        audit(app, POLICIES)
    assert "\n" not in str(error.value)


def test_a_colliding_operation_id_stops_start_up():
    """Two operations of one id would make a client generator drop one."""
    app = app_without_docs()
    app.get("/a", operation_id="same", **public())(nothing)
    app.get("/b", operation_id="same", **public())(nothing)
    with pytest.raises(AuditError, match="GET /b: operation id 'same' is already GET /a's"):
        audit(app, POLICIES)


def test_a_route_of_two_methods_collides_with_itself():
    """FastAPI gives both methods the same operation id."""
    app = app_without_docs()
    app.api_route("/a", methods=["GET", "PUT"], **public())(nothing)
    with pytest.raises(AuditError, match="PUT /a: operation id"):
        audit(app, POLICIES)


def test_a_route_declared_twice_stops_start_up():
    """The second one would never be reached, whatever it decided."""
    app = app_without_docs()
    app.get("/a", **public())(nothing)
    app.get("/a", **bearer())(nothing)
    with pytest.raises(AuditError, match="GET /a: declared twice"):
        audit(app, POLICIES)


def test_the_frameworks_own_routes_need_a_decision_too():
    """A documentation route that was left on is noticed."""
    with pytest.raises(AuditError, match=r"/openapi\.json: no authentication decision"):
        audit(FastAPI(), POLICIES)


def test_what_cannot_be_audited_stops_start_up():
    """A foreign ASGI application, a WebSocket and another host's routes pass no gateway."""
    mounted = app_without_docs()
    mounted.mount("/other", nothing)
    with pytest.raises(AuditError, match=r"/other/{path:path}: no HTTP route"):
        audit(mounted, POLICIES)
    sockets = app_without_docs()
    sockets.websocket("/ws")(nothing)
    with pytest.raises(AuditError, match="/ws: no HTTP route"):
        audit(sockets, POLICIES)
    hosted = app_without_docs()
    hosted.host("other.test", app_without_docs())
    with pytest.raises(AuditError, match="no HTTP route"):
        audit(hosted, POLICIES)


def test_a_public_route_cannot_ask_for_the_principal():
    """Nobody is behind a public request."""
    app = app_without_docs()

    @app.get("/a", **public())
    async def asks(principal: CurrentPrincipal) -> str:
        return principal.subject

    with pytest.raises(AuditError, match="GET /a: asks for the principal"):
        audit(app, POLICIES)


def test_what_is_not_declared_is_denied():
    """An unknown path or method needs a token, but on a path that is open anyway."""
    access = AccessMap(audit(routes(), POLICIES))
    assert access.resolve("GET", "unmatched") is DENIED
    assert access.resolve("DELETE", "/api/inner/me/{part}") is DENIED
    assert access.resolve("HEAD", "/healthz") == Access("public", None)
