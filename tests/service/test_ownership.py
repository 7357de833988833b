"""What is somebody's is there for nobody else."""

import json
import re
from datetime import UTC, datetime

import pytest

from service.domain import cover_letters
from service.domain.catalogue import catalogue
from service.domain.cover_letters import Length, Tone, Written
from service.domain.ownership import owner_of

pytestmark = pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
APPLICATIONS = "/api/v1/applications"
BRIEFINGS = "/api/v1/briefings"
SHARED = {"/api/v1/jobs", "/api/v1/jobs/{job_id}"}


@pytest.fixture
async def document(client):
    """The API's description, as it is served."""
    return (await client.get("/openapi.json")).json()


@pytest.fixture
async def alices(client, database):
    """An id of Alice's for every parameter that names something owned."""
    job = next(catalogue()).id
    made = await client.post(APPLICATIONS, json={"job_id": job})
    briefing = await client.post(BRIEFINGS)
    await client.put("/api/v1/profiles/me", json={"name": "Alice", "email": "a@example.com", "cv_content": "Python"})
    material = await cover_letters.material(database, owner_of("alice"), job)
    written = Written(Tone.PLAIN, Length.SHORT, "Dear hiring team,", "a-model", "1")
    letter = await cover_letters.keep(database, material, written, datetime.now(UTC))
    return {
        "application_id": made.json()["id"],
        "briefing_id": briefing.json()["id"],
        "cover_letter_id": letter.id,
    }


def without_ids(answer):
    """A response without what differs from request to request."""
    body = {key: value for key, value in answer.json().items() if key not in {"request_id", "trace_id"}}
    varying = {"x-request-id", "traceresponse", "ratelimit", "date", "content-length"}
    return answer.status_code, body, {k: v for k, v in answer.headers.items() if k not in varying}


async def test_a_foreign_id_is_an_unknown_id(bob, alices, document):
    """On every route with an id, another's, an unknown and a malformed one get the same 404."""
    tried = 0
    for path, operations in document["paths"].items():
        names = re.findall(r"{(\w+)}", path)
        if not names or path in SHARED:
            continue
        for method in operations:
            answers = []
            for ids in (
                alices,
                {name: alices[name][:4] + "0" * 32 for name in names},
                dict.fromkeys(names, "malformed"),
                dict.fromkeys(names, "%00%ff'--"),
            ):
                target = path.format(**ids)
                answers.append(without_ids(await bob.request(method.upper(), target, json={"note": "mine"})))
                tried += 1
            assert answers[0][0] == 404
            assert all(answer == answers[0] for answer in answers)
    assert tried >= 8


async def test_every_list_is_the_callers_own(client, bob, alices, document):
    """No list shows another's items."""
    lists = [
        path
        for path, operations in document["paths"].items()
        if "get" in operations and path not in SHARED and "next_cursor" in json.dumps(
            document["components"]["schemas"][
                operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rsplit("/")[-1]
            ]
        )
    ]  # fmt: skip
    assert lists == [APPLICATIONS]
    for path in lists:
        assert len((await client.get(path)).json()["items"]) == 1
        assert (await bob.get(path)).json() == {"items": [], "next_cursor": None}


async def test_a_foreign_change_changes_nothing(client, bob, alices):
    """A PATCH of another's application leaves it as it was."""
    path = f"{APPLICATIONS}/{alices['application_id']}"
    before = (await client.get(path)).json()
    await bob.patch(path, json={"status": "withdrawn", "note": "mine"})
    assert (await client.get(path)).json() == before


async def test_a_foreign_cursor_shows_nothing(client, bob, alices):
    """A cursor is only a place: with another's one sees one's own items."""
    job = next(catalogue()).id
    await client.post(APPLICATIONS, json={"job_id": job})
    cursor = (await client.get(APPLICATIONS, params={"limit": 1})).json()["next_cursor"]
    answer = await bob.get(APPLICATIONS, params={"cursor": cursor})
    assert answer.json() == {"items": [], "next_cursor": None}
