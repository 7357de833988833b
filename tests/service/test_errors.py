"""Every error is a problem that names its request and repeats nothing of it."""

import json

import pytest

from service import errors
from service.domain.catalogue import catalogue

ME = "/api/v1/profiles/me"
SECRET = "s3cret-7f1c"
JSON = {"Content-Type": "application/json"}


def is_problem(answer, status):
    """The response is an RFC 9457 problem with the ids of its request."""
    body = answer.json()
    assert (answer.status_code, body["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"].startswith("urn:clearstory:problem:")
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["trace_id"] == answer.headers["traceresponse"].split("-")[1]
    assert body["title"]
    assert body["detail"]
    return True


async def test_an_unknown_path_is_a_problem(client):
    """404, whether or not the path could be decoded."""
    for path in ("/nothing", "/api/v1/jobs/", "/%ff%00", "/api/v1/jobs/a/b"):
        assert is_problem(await client.get(path), 404)


@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [
        (ME, "PATCH", "DELETE, GET, PUT"),
        ("/api/v1/applications", "DELETE", "GET, POST"),
        ("/api/v1/applications/app_1", "DELETE", "GET, PATCH"),
        ("/api/v1/jobs", "POST", "GET"),
    ],
)
async def test_a_wrong_method_is_a_problem(client, path, method, allow):
    """405 names every method of the path, not only those of the first route."""
    answer = await client.request(method, path, json={} if method in {"PATCH", "POST"} else None)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    assert is_problem(answer, 405)


BAD_BODIES = {
    "nothing": b"",
    "not JSON": b"{" + SECRET.encode(),
    "invalid UTF-8": b'{"name": "\xff\xfe", "email": "a@b"}',
    "truncated UTF-8": b'{"name": "\xe2\x82',
    "UTF-16": '{"name": "a", "email": "ab"}'.encode("utf-16"),
    "NUL": b'{"name": "a\\u0000b", "email": "a@b"}',
    "lone surrogate": b'{"name": "a\\ud800b", "email": "a@b"}',
    "lone surrogate in a name": b'{"\\ud800' + SECRET.encode() + b'": 1, "name": "a", "email": "a@b"}',
    "NaN": b'{"name": NaN, "email": "a@b"}',
    "Infinity": b'{"name": -Infinity, "email": "a@b"}',
    "huge integer": b'{"name": ' + b"9" * 100_000 + b', "email": "a@b"}',
    "huge exponent": b'{"name": 1e999999999, "email": "a@b"}',
    "deep array": b"[" * 9_000,
    "deeper array": b"[" * 100_000,
    "deep object": b'{"name":' * 3_000 + b"1" + b"}" * 3_000,
    "deeper object": b'{"name":' * 100_000 + b"1" + b"}" * 100_000,
    "deep but legal": b'{"name":' + b"[" * 900 + b"]" * 900 + b"}",
    "unknown field": b'{"' + SECRET.encode() + b'": 1, "name": "a", "email": "a@b"}',
    "many unknown fields": json.dumps({f"{SECRET}{n}": n for n in range(3000)}).encode(),
    "a list": b"[1, 2]",
    "a string": b'"' + SECRET.encode() + b'"',
    "null": b"null",
    "wrong types": json.dumps({"name": {SECRET: 1}, "email": [SECRET], "phone": SECRET * 9}).encode(),
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
async def test_a_bad_body_is_a_problem(client, recorder, body):
    """Whatever is sent as a body, the answer is the client's fault and does not repeat it, in no log either."""
    answer = await client.put(ME, content=body, headers=JSON)
    assert answer.status_code in {400, 413, 415, 422}
    assert is_problem(answer, answer.status_code)
    told = answer.content + b"".join(recorder.raw_lines) + repr([s.to_json() for s in recorder.spans]).encode()
    assert SECRET.encode() not in told
    assert len(answer.json().get("errors", [])) <= 20


async def test_many_unknown_fields_are_one_error(client):
    """Thousands of unknown fields are one error, not as many."""
    answer = await client.put(ME, json={f"k{number}": 1 for number in range(3_000)})
    assert [error["type"] for error in answer.json()["errors"]] == ["too_many_fields"]


async def test_a_422_repeats_no_value(client):
    """Each error says where, which kind and a fixed text; there is no `input` and no `ctx`."""
    body = {"name": SECRET * 20, "email": SECRET, "phone": SECRET * 9, SECRET: SECRET, "cv_content": {SECRET: 1}}
    answer = await client.put(ME, json=body)
    assert is_problem(answer, 422)
    found = answer.json()["errors"]
    assert all(set(error) == {"loc", "type", "msg"} for error in found)
    assert {tuple(error["loc"]) for error in found} == {
        ("body", "name"), ("body", "email"), ("body", "phone"), ("body", "cv_content"), ("body",),
    }  # fmt: skip
    assert SECRET not in answer.text


async def test_query_errors_repeat_no_value(client):
    """A bad query parameter is named and not repeated."""
    answer = await client.get("/api/v1/jobs", params={"limit": SECRET, "cursor": SECRET})
    assert is_problem(answer, 422)
    assert SECRET not in answer.text


async def test_a_304_has_no_body(client):
    """A 304 is no problem: it has neither body nor content type."""
    path = f"/api/v1/jobs/{next(catalogue()).id}"
    answer = await client.get(path, headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.content, "content-type" in answer.headers) == (304, b"", False)


def test_statuses_and_codes_are_distinct():
    """Each kind of error has a code of its own, so that clients can tell them apart by `type`."""
    kinds = errors.ServiceError.__subclasses__()
    assert len({kind.code for kind in kinds}) == len(kinds)


@pytest.mark.parametrize(
    ("error", "header"),
    [
        (errors.RateLimited("default", 1, 60.0, 0.2), (b"retry-after", b"1")),
        (errors.RateLimited("default", 1, 60.0, 12.01), (b"retry-after", b"13")),
        (errors.Unavailable(2), (b"retry-after", b"2")),
        (errors.Unauthenticated("missing"), (b"www-authenticate", b'Bearer realm="clearstory"')),
        (
            errors.Unauthenticated("expired"),
            (b"www-authenticate", b'Bearer realm="clearstory", error="invalid_token"'),
        ),
    ],
)
def test_errors_bring_their_headers(error, header):
    """Waits are rounded up; the challenge has an error only where a token was sent (RFC 6750, section 3.1)."""
    assert error.headers() == [header]
