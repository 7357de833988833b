"""The caller's profile: written whole, read back, refused without repeating it."""

import json

import pytest

pytestmark = pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
ME = "/api/v1/profiles/me"
GOOD = {"name": "Ada Lovelace", "email": "ada@example.org"}


async def test_there_is_none_at_first(client):
    """Before the first PUT there is no profile."""
    assert (await client.get(ME)).status_code == 404


async def test_put_creates_then_replaces(client):
    """The first PUT is a 201, the next a 200 that keeps id and creation and removes what it leaves out."""
    first = await client.put(ME, json=GOOD | {"phone": "+44 1234", "cv_content": "Analyst\nof engines"})
    second = await client.put(ME, json=GOOD | {"name": "Ada King"})
    assert (first.status_code, second.status_code) == (201, 200)
    one, two = first.json(), second.json()
    assert (one["phone"], one["cv_content"]) == ("+44 1234", "Analyst\nof engines")
    assert (two["name"], two["phone"], two["cv_content"]) == ("Ada King", None, None)
    assert (one["id"], one["created_at"]) == (two["id"], two["created_at"])
    assert (await client.get(ME)).json() == two


async def test_everybody_has_their_own(client, bob):
    """A profile is seen by its owner alone."""
    await client.put(ME, json=GOOD)
    assert (await bob.get(ME)).status_code == 404


async def test_delete_is_idempotent(client):
    """DELETE is a 204 whether something was there or not."""
    await client.put(ME, json=GOOD)
    assert [(await client.delete(ME)).status_code for _ in range(2)] == [204, 204]
    assert (await client.get(ME)).status_code == 404


async def test_a_long_cv_fits(client):
    """200,000 characters of any alphabet are kept."""
    cv = "履" * 200_000
    assert (await client.put(ME, json=GOOD | {"cv_content": cv})).json()["cv_content"] == cv


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": 17}, "name"),
        ({"name": None}, "name"),
        ({"email": "secret.example.org"}, "email"),
        ({"email": "a@" + "b" * 260}, "email"),
        ({"phone": ""}, "phone"),
        ({"phone": "1" * 41}, "phone"),
        ({"cv_content": "x" * 200_001}, "cv_content"),
        ({"cv_content": "a\0b"}, "cv_content"),
        ({"cv_content": ["secret"]}, "cv_content"),
        ({"cv_content": float("nan")}, "cv_content"),
    ],
)
async def test_bad_fields_are_422(client, change, field):
    """A bad field is a 422 that names it; nothing is written."""
    body = json.dumps(GOOD | change)
    answer = await client.put(ME, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert [error["loc"] for error in answer.json()["errors"]] == [["body", field]]
    assert (await client.get(ME)).status_code == 404


@pytest.mark.parametrize("missing", ["name", "email"])
async def test_missing_fields_are_422(client, missing):
    """Name and e-mail address are needed."""
    answer = await client.put(ME, json={key: value for key, value in GOOD.items() if key != missing})
    assert answer.json()["errors"] == [{"loc": ["body", missing], "type": "missing", "msg": "Field required"}]
