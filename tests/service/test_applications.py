"""Applications: sent, listed, followed to their end."""

import pytest

from service.domain.applications import FINAL, Status
from service.domain.catalogue import catalogue

pytestmark = pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
APPLICATIONS = "/api/v1/applications"
JOB = next(catalogue()).id


@pytest.fixture
async def application(client):
    """One application of Alice's."""
    return (await client.post(APPLICATIONS, json={"job_id": JOB})).json()


async def test_submit(client):
    """A new application is a 201 whose Location leads to it."""
    answer = await client.post(APPLICATIONS, json={"job_id": JOB, "note": "Hello"})
    made = answer.json()
    assert answer.status_code == 201
    assert (made["job_id"], made["note"], made["status"]) == (JOB, "Hello", "submitted")
    assert answer.headers["location"] == f"{APPLICATIONS}/{made['id']}"
    assert (await client.get(answer.headers["location"])).json() == made


@pytest.mark.parametrize("job_id", ["job_0000000000000000", "nonsense", "", "x' OR '1'='1"])
async def test_an_unknown_job_is_422(client, job_id):
    """Applying for a job that is not there is a 422 about `job_id`."""
    answer = await client.post(APPLICATIONS, json={"job_id": job_id})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", "job_id"]
    assert (await client.get(APPLICATIONS)).json()["items"] == []


@pytest.mark.parametrize(
    "body", [{}, {"job_id": JOB, "note": "x" * 2001}, {"job_id": JOB, "note": "\0"}, {"job_id": "a\0"}, []]
)
async def test_a_bad_body_is_422(client, body):
    """A body that is not an application is a 422."""
    assert (await client.post(APPLICATIONS, json=body)).status_code == 422


async def test_pages_add_up(client):
    """Page by page, every application comes once, newest first."""
    made = [(await client.post(APPLICATIONS, json={"job_id": JOB})).json()["id"] for _ in range(7)]
    seen, cursor = [], None
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(APPLICATIONS, params=params)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


async def test_a_bad_cursor_is_422(client):
    """A cursor that no list gave out is a 422."""
    assert (await client.get(APPLICATIONS, params={"cursor": "x"})).status_code == 422


async def test_change(client, application):
    """A status and a note can be changed, each without the other."""
    path = f"{APPLICATIONS}/{application['id']}"
    await client.patch(path, json={"note": "Call me"})
    await client.patch(path, json={"status": "interviewing"})
    found = (await client.get(path)).json()
    assert (found["status"], found["note"]) == ("interviewing", "Call me")
    assert (await client.patch(path, json={"note": None})).json()["note"] is None


async def test_an_empty_change_changes_nothing(client, application):
    """A PATCH that says nothing answers with what is there."""
    answer = await client.patch(f"{APPLICATIONS}/{application['id']}", json={})
    assert (answer.status_code, answer.json()) == (200, application)


@pytest.mark.parametrize("final", sorted(FINAL))
async def test_the_end_is_the_end(client, application, final):
    """A rejected or withdrawn application keeps its status: 409; its note may still change."""
    path = f"{APPLICATIONS}/{application['id']}"
    await client.patch(path, json={"status": final})
    for status in Status:
        answer = await client.patch(path, json={"status": status})
        assert answer.status_code == (200 if status == final else 409)
    assert (await client.patch(path, json={"note": "Pity"})).json()["status"] == final


@pytest.mark.parametrize("change", [{"status": "hired"}, {"status": 1}, {"note": "x" * 2001}, {"id": "app_1"}])
async def test_a_bad_change_is_422(client, application, change):
    """A status that does not exist, a long note or an unknown field is a 422."""
    path = f"{APPLICATIONS}/{application['id']}"
    assert (await client.patch(path, json=change)).status_code == 422
    assert (await client.get(path)).json() == application
