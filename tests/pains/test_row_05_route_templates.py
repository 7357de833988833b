"""Row 5: FastAPI wraps included routers, so route look-up breaks (prometheus-fastapi-instrumentator#370)."""

import pytest
from fastapi import APIRouter, FastAPI


def nested() -> FastAPI:
    """Routes as people write them: prefixed, included twice over, mounted."""
    app, mounted = FastAPI(), FastAPI()
    deep, middle, top = APIRouter(prefix="/deep"), APIRouter(prefix="/middle"), APIRouter()

    @deep.get("/{one}/x/{two}")
    async def deepest(one: str, two: str) -> None:
        """Do nothing."""

    @top.get("/plain")
    async def plain() -> None:
        """Do nothing."""

    @mounted.get("/items/{item}")
    async def item(item: str) -> None:
        """Do nothing."""

    @app.get("/files/{name:path}")
    async def file(name: str) -> None:
        """Do nothing."""

    middle.include_router(deep)
    app.include_router(middle, prefix="/api/{version}")
    app.include_router(top, prefix="/v1")
    app.mount("/sub", mounted)
    return app


EXPECTED = {
    "/api/v1/middle/deep/secret-a/x/secret-b": ("/api/{version}/middle/deep/{one}/x/{two}", 200),
    "/v1/plain": ("/v1/plain", 200),
    "/sub/items/secret-c": ("/sub/items/{item}", 200),
    "/files/secret-d/secret-e": ("/files/{name}", 200),
    "/sub/secret-f": ("unmatched", 404),
    "/secret-g": ("unmatched", 404),
}


async def test_row_05_every_route_is_known_by_its_template(small):
    """prometheus-fastapi-instrumentator#370: label, access line and span have the whole template, never a path."""
    async with small(nested()) as served:
        for path, (_, status) in EXPECTED.items():
            assert (await served.client.get(path)).status_code == status
        metrics = (await served.client.get("/metrics")).text
    routes = [line["route"] for line in served.recorder.events("http.request.completed")]
    assert routes == [template for template, _ in EXPECTED.values()]
    for template, status in set(EXPECTED.values()):
        counted = served.recorder.metric(
            "http_server_request_duration_seconds_count",
            http_request_method="GET", http_route=template, http_response_status_code=str(status),
        )  # fmt: skip
        assert counted == routes.count(template)
    assert "secret-" not in metrics
    assert not any("secret-" in span.name for span in served.recorder.server_spans())


async def test_row_05_no_route_of_the_service_is_unmatched(real):
    """Every route of the service's own API description is found by its template."""
    async with real() as served:
        paths = (await served.client.get("/openapi.json")).json()["paths"]
        served.recorder.clear()
        expected = []
        for template, operations in paths.items():
            for method in operations:
                await served.client.request(method, template.replace("{", "x-").replace("}", ""))
                expected += [] if template in {"/healthz", "/readyz"} else [(method.upper(), template)]
        accessed = served.recorder.events("http.request.completed")
    assert len(expected) >= 9
    assert [(line["method"], line["route"]) for line in accessed] == expected


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/applications", "/api/v1/profiles/me", "/api/v1/jobs/x"])
async def test_row_05_a_newline_hides_no_route(real, path):
    """Where the router's `$` lets a final newline through, the look-up does too: the route's policy holds for both."""
    async with real() as served:
        plain = await served.client.get(path)
        hidden = await served.client.get(f"{path}%0A")
        routes = [line["route"] for line in served.recorder.events("http.request.completed")]
    if hidden.status_code == plain.status_code == 200:
        assert routes[0] == routes[1]
    else:
        assert hidden.status_code == 404
