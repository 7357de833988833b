"""The API's description: complete, stable, revalidated."""

import re

import pytest
from fastapi import APIRouter

from service import openapi
from service.app import create_app

IDS = {
    "applications:change", "applications:get-by-id", "applications:list", "applications:submit",
    "jobs:get-by-id", "jobs:list", "profiles:erase-mine", "profiles:get-mine", "profiles:replace-mine",
}  # fmt: skip


@pytest.fixture
def document(built):
    """The description."""
    return built.openapi()


def operations(document):
    """Every operation, with where it is."""
    return [
        (path, method, operation) for path, found in document["paths"].items() for method, operation in found.items()
    ]


def test_operation_ids(document):
    """Operation ids are `tag:name-with-dashes`, unique."""
    found = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(found) == len(set(found))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*:[a-z]+(-[a-z]+)*", name) for name in found)
    assert set(found) >= IDS


def test_a_route_without_a_tag_is_refused():
    """A route that would have no operation id stops the start with its path."""
    router = APIRouter(generate_unique_id_function=openapi.operation_id)
    with pytest.raises(ValueError, match="/untagged"):
        router.add_api_route("/untagged", lambda: None)


def test_every_error_is_described_as_a_problem(document):
    """Each 4xx and 5xx of the API has the problem's media type and schema."""
    described = 0
    for path, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status >= "400" and path.startswith("/api/"):
                assert answer["content"] == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }
                described += 1
    assert described > 30


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("/api/v1/jobs", "get", {"200", "304", "401", "422", "429", "503"}),
        ("/api/v1/jobs/{job_id}", "get", {"200", "304", "401", "404", "429", "503"}),
        ("/api/v1/profiles/me", "get", {"200", "401", "404", "429", "503"}),
        ("/api/v1/profiles/me", "put", {"200", "201", "401", "413", "415", "422", "429", "503"}),
        ("/api/v1/profiles/me", "delete", {"204", "401", "429", "503"}),
        ("/api/v1/applications", "get", {"200", "401", "422", "429", "503"}),
        ("/api/v1/applications", "post", {"201", "401", "409", "413", "415", "422", "429", "503"}),
        ("/api/v1/applications/{application_id}", "get", {"200", "401", "404", "429", "503"}),
        (
            "/api/v1/applications/{application_id}",
            "patch",
            {"200", "401", "404", "409", "413", "415", "422", "429", "503"},
        ),
    ],
)
def test_every_answer_is_described(document, path, method, statuses):
    """An operation lists the statuses that it can really answer with."""
    assert set(document["paths"][path][method]["responses"]) == statuses


def test_security_is_described(document):
    """Everything under /api needs the bearer scheme, and the scheme is there."""
    (name,) = document["components"]["securitySchemes"]
    assert document["components"]["securitySchemes"][name]["scheme"] == "bearer"
    for path, _, operation in operations(document):
        assert operation["security"] == ([{name: []}] if path.startswith("/api/") else [])


def test_every_reference_leads_somewhere(document):
    """No `$ref` hangs, and no schema of FastAPI's own errors is left."""
    text = openapi.json.dumps(document)
    for name in re.findall(r'"#/components/schemas/([^"]+)"', text):
        assert name in document["components"]["schemas"]
    assert "HTTPValidationError" not in text


def test_the_document_is_the_same_each_time(settings):
    """Two applications describe themselves with the same bytes."""
    first, second = (openapi.document(create_app(settings())) for _ in range(2))
    assert first == second
    assert first.endswith(b"}\n")


async def test_it_is_served_with_an_etag(client, app):
    """/openapi.json needs no token, is the committed document's bytes, and is revalidated."""
    answer = await client.get("/openapi.json", headers={"Authorization": ""})
    assert (answer.status_code, answer.content) == (200, openapi.document(app))
    tag = answer.headers["etag"]
    again = await client.get("/openapi.json", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert answer.headers["cache-control"] == "private, no-cache"


async def test_it_can_be_left_out(settings):
    """Where documentation is off there is no /openapi.json."""
    paths = {getattr(route, "path", None) for route in create_app(settings(DOCS_ENABLED="false")).routes}
    assert openapi.PATH not in paths
