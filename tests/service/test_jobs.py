"""The catalogue: the same everywhere, read page by page, revalidated."""

import base64

import pytest

from service.database.models import Job
from service.domain.catalogue import catalogue, folded
from service.domain.paging import InvalidCursor, Place

JOBS = "/api/v1/jobs"


async def walk(client, **params):
    """Every item of a list, page after page."""
    items, cursor = [], None
    while True:
        answer = await client.get(JOBS, params={**params, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200
        page = answer.json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


def test_the_catalogue_is_deterministic():
    """2,000 postings with ids of their own, the first and last of which never change."""
    postings = list(catalogue())
    assert len({posting.id for posting in postings}) == 2000
    assert (postings[0].id, postings[-1].id) == ("job_a6685f3b62d57bfc", "job_8ee815d758fc9431")


async def test_pages_add_up_to_the_catalogue(client):
    """Page by page, every job comes once, newest first, then by id."""
    items = await walk(client, limit=100)
    assert len(items) == 2000
    assert [job["id"] for job in items] == [
        posting.id for posting in sorted(catalogue(), key=lambda p: (-p.posted_at.timestamp(), p.id))
    ]


async def test_a_page_has_twenty_items(client):
    """Without a limit, a page has 20 items and says where the next one begins."""
    page = (await client.get(JOBS)).json()
    assert len(page["items"]) == 20
    assert set(page) == {"items", "next_cursor"}
    assert page["next_cursor"]


async def test_new_rows_do_not_move_the_pages(client, database):
    """A job that is posted while somebody reads neither repeats nor hides another."""
    first = (await client.get(JOBS, params={"limit": 5})).json()
    newest = next(catalogue())
    async with database.transaction() as session:
        session.add(Job(**(newest.row() | {"id": "job_0000000000000000"})))
    second = (await client.get(JOBS, params={"limit": 5, "cursor": first["next_cursor"]})).json()
    expected = [p.id for p in sorted(catalogue(), key=lambda p: (-p.posted_at.timestamp(), p.id))]
    assert [job["id"] for job in first["items"] + second["items"]] == expected[:10]


async def test_the_last_page_has_no_cursor(client):
    """A page that ends exactly with the list has no next one."""
    found = await walk(client, q="zürich", limit=100)
    page = (await client.get(JOBS, params={"q": "zürich", "limit": len(found)})).json()
    assert (len(page["items"]), page["next_cursor"]) == (len(found), None)


@pytest.mark.parametrize("query", ["ZÜRICH", "zürich", "Zu\u0308rich", "üRI"])
async def test_a_query_ignores_case_and_encoding(client, query):
    """`q` finds by letters, in any case, accents composed or not."""
    expected = [p.id for p in catalogue() if "zürich" in folded(p.location)]
    assert {job["id"] for job in await walk(client, q=query, limit=100)} == set(expected)


@pytest.mark.parametrize("query", ["%", "_", "100%", "\\", "/"])
async def test_wildcards_are_letters(client, query):
    """A percent sign, underscore or escape character in `q` stands for itself."""
    assert (await client.get(JOBS, params={"q": query})).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("field", ["title", "company", "location"])
async def test_a_query_looks_into_three_fields(client, field):
    """`q` is looked for in title, company and location."""
    job = (await client.get(JOBS, params={"limit": 1})).json()["items"][0]
    assert job["id"] in {found["id"] for found in await walk(client, q=job[field], limit=100)}


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"q": "x" * 201}, "q"),
        ({"q": "a\0b"}, "q"),
        ({"q": "a\x1fb"}, "q"),
        ({"cursor": ""}, "cursor"),
        ({"cursor": "é"}, "cursor"),
        ({"cursor": "A"}, "cursor"),
        ({"cursor": "x" * 201}, "cursor"),
        ({"cursor": base64.urlsafe_b64encode(b"1:job_0' OR 1=1").decode()}, "cursor"),
    ],
)
async def test_bad_parameters_are_422(client, params, field):
    """A bad limit, query or cursor is a 422 that names it, never a 500."""
    answer = await client.get(JOBS, params=params)
    assert answer.status_code == 422
    assert [error["loc"] for error in answer.json()["errors"]] == [["query", field]]


async def test_bad_utf8_in_a_query_is_no_error(client):
    """Percent-encoded bytes that are not UTF-8 find nothing."""
    answer = await client.get(f"{JOBS}?q=%ff%fe")
    assert (answer.status_code, answer.json()["items"]) == (200, [])


def test_a_cursor_keeps_its_place():
    """What `encode` writes, `decode` reads."""
    posting = next(catalogue())
    place = Place(posting.posted_at, posting.id)
    assert Place.decode(place.encode()) == place
    with pytest.raises(InvalidCursor):
        Place.decode("not a cursor")


async def test_get_by_id(client):
    """A job of the list is found by its id, with the same content."""
    job = (await client.get(JOBS, params={"limit": 1})).json()["items"][0]
    answer = await client.get(f"{JOBS}/{job['id']}")
    assert (answer.status_code, answer.json()) == (200, job)


@pytest.mark.parametrize("job_id", ["job_0000000000000000", "nonsense", "job_%00", "%ff", "job_" + "0" * 9000])
async def test_an_unknown_id_is_404(client, job_id):
    """An id that names nothing, in whatever shape, is a 404."""
    answer = await client.get(f"{JOBS}/{job_id}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:clearstory:problem:not-found")


@pytest.mark.parametrize("path", [JOBS, "item"])
async def test_an_etag_is_revalidated(client, path):
    """A list and an item carry a strong ETag, and answer 304 without a body to whoever has them."""
    if path == "item":
        path = f"{JOBS}/{next(catalogue()).id}"
    first = await client.get(path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert tag.startswith('"')
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await client.get(path, headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == "private, no-cache"
    for given in ('"other"', tag.strip('"'), "", '"' + tag):
        assert (await client.get(path, headers={"If-None-Match": given})).status_code == 200


async def test_different_pages_have_different_etags(client):
    """The ETag is of the content."""
    tags = {(await client.get(JOBS, params={"limit": n})).headers["etag"] for n in (1, 2, 3)}
    assert len(tags) == 3
