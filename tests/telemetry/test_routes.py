"""The route's template, known before the router has run."""

import random
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from telemetry.routes import RouteTable
from tests.telemetry.asgi import serving, watch


async def endpoint() -> None:
    """Answer nothing."""


async def plain(_request: Any) -> Response:
    """Answer nothing, for Starlette."""
    return PlainTextResponse("")


def saying(template: str) -> Callable[[], Awaitable[PlainTextResponse]]:
    """An endpoint that answers with its route's template."""

    async def say() -> PlainTextResponse:
        return PlainTextResponse(template)

    return say


def page_saying(template: str) -> Callable[[Any], Awaitable[Response]]:
    """The same for Starlette."""

    async def say(_request: Any) -> Response:
        return PlainTextResponse(template)

    return say


class SayingFiles(StaticFiles):
    """Static files that say that they were asked."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        return PlainTextResponse("/static/{path}")


def router_of(*paths: str, prefix: str = "", under: str = "") -> APIRouter:
    """A router with GET routes, to be included under a prefix."""
    router = APIRouter(prefix=prefix)
    for path in paths:
        router.add_api_route(path, saying(under + prefix + path))
    return router


def bare() -> FastAPI:
    """An app without documentation routes."""
    return FastAPI(openapi_url=None)


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    """An app with every kind of route; each answers with its template."""
    app = bare()
    for path in (
        "/", "/items/latest", "/items/{item_id}", "/items/{item_id:int}/parts", "/files/{name:path}", "/files/readme",
        "/ids/{which:uuid}", "/prices/{price:float}", "/dots/a.b",
    ):  # fmt: skip
        app.add_api_route(path, saying(re.sub(r":\w+}", "}", path)))
    middle = APIRouter(prefix="/middle")
    middle.include_router(router_of("/leaf", "/{leaf_id}/end", under="/outer/middle/inner"), prefix="/inner")
    app.include_router(middle, prefix="/outer")
    app.include_router(router_of("", "/own", prefix="/prefixed"))
    sub = bare()
    sub.add_api_route("/thing/{thing_id}", saying("/sub/thing/{thing_id}"))
    sub.include_router(router_of("/deep", under="/sub/included"), prefix="/included")
    app.mount("/sub", sub)
    page = Route("/page/{page:int}", page_saying("/tenants/{tenant}/page/{page}"))
    again = Mount("/again", routes=[Route("/x", page_saying("/tenants/{tenant}/again/x"))])
    app.mount("/tenants/{tenant}", Starlette(routes=[page, again]))
    app.mount("/static", SayingFiles(directory=tmp_path))
    return app


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/", "/"),
        ("/items/latest", "/items/latest"),
        ("/items/7", "/items/{item_id}"),
        ("/items/7/parts", "/items/{item_id}/parts"),
        ("/items/seven/parts", "unmatched"),
        ("/files/a/b/c", "/files/{name}"),
        ("/files/readme", "/files/{name}"),
        ("/ids/6f1d3a4e-8a55-4f0e-9d3b-1f2e3d4c5b6a", "/ids/{which}"),
        ("/ids/no", "unmatched"),
        ("/prices/1.5", "/prices/{price}"),
        ("/dots/a.b", "/dots/a.b"),
        ("/dots/aXb", "unmatched"),
        ("/outer/middle/inner/leaf", "/outer/middle/inner/leaf"),
        ("/outer/middle/inner/5/end", "/outer/middle/inner/{leaf_id}/end"),
        ("/prefixed", "/prefixed"),
        ("/prefixed/own", "/prefixed/own"),
        ("/sub/thing/3", "/sub/thing/{thing_id}"),
        ("/sub/included/deep", "/sub/included/deep"),
        ("/tenants/acme/page/2", "/tenants/{tenant}/page/{page}"),
        ("/tenants/acme/again/x", "/tenants/{tenant}/again/x"),
        ("/static/a.txt", "/static/{path}"),
        ("/static/no/such", "/static/{path}"),
        ("/nowhere", "unmatched"),
        ("", "unmatched"),
        ("/items/7\n", "/items/{item_id}"),
        ("/prices/1.5\n", "unmatched"),
        ("/prefixed\n", "unmatched"),
    ],
)
def test_pain_5_every_kind_of_route_is_found(app: FastAPI, path: str, template: str) -> None:
    """Pain 5: included, prefixed, nested and mounted routes give their whole template, other paths `unmatched`."""
    assert RouteTable(app.routes).resolve("GET", path) == template


def test_parametrised_before_static_wins_in_router_order() -> None:
    """The first route in the router's order wins, also a parametrised one over a static one behind it."""
    app = bare()
    app.add_api_route("/items/{item_id}", endpoint)
    app.add_api_route("/items/latest", endpoint)
    assert RouteTable(app.routes).resolve("GET", "/items/latest") == "/items/{item_id}"


def test_host_routes_do_not_stop_the_start() -> None:
    """An app with a `Host` route and a websocket route has its other routes in the table."""
    app = bare()
    app.router.routes.append(Host("api.example", Router(routes=[Route("/hosted", plain)])))
    app.router.routes.append(WebSocketRoute("/ws", plain))
    app.add_api_route("/items", endpoint)
    assert RouteTable(app.routes).resolve("GET", "/items") == "/items"


def test_methods_are_known_by_route(app: FastAPI) -> None:
    """Each template comes with its methods; a mount of unknown content takes any."""
    found = {template.path: template.methods for template in RouteTable(app.routes).templates}
    assert found["/items/{item_id}"] == {"GET"}
    assert found["/static/{path:path}"] is None


WORDS = [
    "", "items", "latest", "7", "-1", "1.5", "seven", "parts", "files", "readme", "a.b", "aXb", "outer", "middle",
    "inner", "leaf", "end", "prefixed", "own", "sub", "thing", "included", "deep", "tenants", "acme", "page", "again",
    "x", "static", "a.txt", "é", "%2e", " ", "ids", "6f1d3a4e-8a55-4f0e-9d3b-1f2e3d4c5b6a", "prices", "dots",
]  # fmt: skip


def generated_paths() -> list[str]:
    """Paths of random words and paths near those of the routes, the same in each run."""
    rng = random.Random(3)
    paths = {"/" + "/".join(rng.choices(WORDS, k=rng.randint(1, 4))) for _ in range(1500)}
    near = [
        "/outer/middle/inner/{}/end", "/sub/thing/{}", "/tenants/{}/page/3", "/tenants/acme/page/{}",
        "/tenants/{}/again/x", "/items/{}", "/items/{}/parts", "/files/{}", "/ids/{}", "/prices/{}", "/static/{}",
    ]  # fmt: skip
    return sorted(paths | {shape.format(word) for shape in near for word in WORDS})


async def test_table_agrees_with_the_router(app: FastAPI) -> None:
    """Over thousands of paths, the template that is known before routing is the one of the route that is then run."""
    _, recorder = watch(app)
    wrong = []
    matched = 0
    async with serving(app) as served:
        for path in generated_paths():
            answer = await served.get(path)
            (event,) = recorder.events("http.request.completed")
            recorder.clear()
            matched += answer.status == 200
            # The router itself redirects what only lacks a slash.
            expected = {200: answer.body.decode(), 404: "unmatched"}.get(answer.status, event["route"])
            if event["route"] != expected:
                wrong.append((path, event["route"], expected))
    assert wrong == []
    assert matched > 300


async def test_server_span_has_the_template(app: FastAPI) -> None:
    """The server span's name and `http.route` are the template of an included route."""
    _, recorder = watch(app)
    async with serving(app) as served:
        await served.get("/outer/middle/inner/5/end")
    (span,) = recorder.server_spans()
    assert span.attributes["http.route"] == "/outer/middle/inner/{leaf_id}/end"
    assert span.name == "GET /outer/middle/inner/{leaf_id}/end"


async def test_pain_20_paths_are_no_labels(app: FastAPI) -> None:
    """Pain 20: 500 unknown paths with made-up methods add one label combination, `_OTHER` and `unmatched`."""
    telemetry, recorder = watch(app)
    async with serving(app) as served:
        await served.request("BREW", "/first")
        before = telemetry.metrics.render("")[0].count(b"\n")
        for number in range(500):
            await served.request(f"BREW{number}", f"/unknown/{number}")
        after = telemetry.metrics.render("")[0].count(b"\n")
        labels = {
            "http_request_method": "_OTHER", "http_route": "unmatched", "http_response_status_code": "404",
        }  # fmt: skip
        assert recorder.metric("http_server_request_duration_seconds_count", **labels) == 501
    assert after == before


async def test_route_is_found_under_a_root_path(app: FastAPI) -> None:
    """Behind a proxy that strips a prefix (`root_path`) the template is that of the path without it."""
    _, recorder = watch(app)
    async with serving(app) as served:
        answer = await served.get("/items/7", root_path="/api")
    assert answer.status == 200
    assert recorder.events("http.request.completed")[0]["route"] == "/items/{item_id}"


async def test_routes_may_be_added_after_instrument() -> None:
    """A route that is added after `instrument`, before the start, is in the table."""
    app = bare()
    _, recorder = watch(app)
    app.add_api_route("/late/{number}", endpoint)
    async with serving(app) as served:
        await served.get("/late/3")
    assert recorder.events("http.request.completed")[0]["route"] == "/late/{number}"


async def test_route_exists_at_zero(app: FastAPI) -> None:
    """Time to first byte and the documented duration of every route exist at 0 before its first request."""
    _, recorder = watch(app)
    async with serving(app):
        labels = {"http_request_method": "GET", "http_route": "/outer/middle/inner/{leaf_id}/end"}
        assert recorder.metric("http_server_time_to_first_byte_seconds_count", **labels) == 0
        labels["http_response_status_code"] = "200"
        assert recorder.metric("http_server_request_duration_seconds_count", **labels) == 0
