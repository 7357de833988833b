"""Row 11: chunked or lying bodies pass a Content-Length check (starlette#2350)."""

import json

import pytest

from tests.service.run.process import running

LIMIT = 1000
TYPE = "Content-Type: application/json"
ROUTE = "/api/v1/profiles/me"


def chunked(total: int, chunk: int = 100) -> bytes:
    """A body of `total` bytes in chunks, without its end."""
    return b"".join(b"%x\r\n%s\r\n" % (chunk, b"x" * chunk) for _ in range(total // chunk))


def statuses(answer: bytes) -> list[int]:
    """The statuses of the responses on a connection; their phrases differ between Pythons."""
    return [int(line.split(b" ")[1]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


@pytest.fixture
async def service(tmp_path):
    """The service, with a low limit on bodies."""
    async with running(tmp_path, MAX_BODY_BYTES=str(LIMIT), DRAIN_SECONDS="0") as service:
        yield service


@pytest.mark.parametrize("total", [LIMIT + 100, 1_000_000])
async def test_row_11_a_chunked_body_is_counted_as_it_arrives(service, total):
    """starlette#2350: a body without a length is a 413 as soon as it is over the limit, before its end."""
    head = service.request(ROUTE, TYPE, "Transfer-Encoding: chunked", method="PUT")
    answer = await service.exchange(head + chunked(total))
    assert statuses(answer) == [413]
    problem = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert problem["type"] == "urn:clearstory:problem:content-too-large"


async def test_row_11_a_length_over_the_limit_is_refused_at_its_word(service):
    """A body that is announced as too large is a 413 before a byte of it was sent."""
    answer = await service.exchange(service.request(ROUTE, TYPE, f"Content-Length: {LIMIT + 1}", method="PUT"))
    assert statuses(answer) == [413]


async def test_row_11_a_length_below_the_body_lets_nothing_in(service):
    """What is sent beyond the announced length is not part of the body, and is no request of its own."""
    body = b'{"name": "Ada", "email": "ada@example.org"}'
    lie = service.request(ROUTE, TYPE, f"Content-Length: {len(body)}", method="PUT", body=body + b"x" * 10_000)
    answer = await service.exchange(lie)
    assert statuses(answer)[0] == 201
    assert len(statuses(answer)) == 1
    read = await service.exchange(service.request(ROUTE))
    assert json.loads(read.partition(b"\r\n\r\n")[2])["name"] == "Ada"


async def test_row_11_a_length_above_the_body_waits_for_nobody_else(service):
    """A client that announces more than it sends and leaves changes nothing."""
    body = b'{"name": "Eve", "email": "eve@example.org"}'
    short = service.request(ROUTE, TYPE, f"Content-Length: {len(body) + 5}", method="PUT", body=body)
    assert statuses(await service.exchange(short, end=True)) in ([], [400])
    assert statuses(await service.exchange(service.request(ROUTE))) == [404]


@pytest.mark.parametrize(
    "lies",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: -1",),
        ("Content-Length: 0x10",),
        ("Transfer-Encoding: chunked, identity",),
    ],
)
async def test_row_11_a_head_that_contradicts_itself_is_a_400(service, lies):
    """Two accounts of one length are refused, whichever would have passed the check."""
    answer = await service.exchange(service.request(ROUTE, TYPE, *lies, method="PUT") + chunked(2000))
    assert statuses(answer)[0] == 400
    assert len(statuses(answer)) == 1
