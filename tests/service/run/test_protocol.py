"""Bytes that no well-behaved client sends: a clear answer or a clean end, and nothing is kept."""

import asyncio
import json
import re
import socket
import struct

import pytest
import pytest_asyncio

from tests.patience import PATIENCE, until
from tests.service.run.process import running

HOST = b"Host: localhost\r\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory):
    """One process for all tests; at its end its log must be clean."""
    async with running(tmp_path_factory.mktemp("service"), "tests.service.run.slow_service") as process:
        yield process
        process.signal()
        assert await process.ended() == 0
        log = process.stdout.decode()
        assert "Traceback" not in log + process.stderr.decode()
        assert "Invalid HTTP request" not in log
        assert "upgrade" not in log.lower()
        assert '"status":5' not in log


def status(answer: bytes) -> int:
    """The status code of an answer."""
    return int(answer.split(b" ", 2)[1])


async def hesitant(service):
    """A connection that takes little to send before the server has read what came before it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    return reader, writer


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n",
        b"GET / RTSP/1.0\r\n" + HOST + b"\r\n",
        b"\r\nOPTIONS / RTSP/1.1\r\n" + HOST + b"\r\n",
        b"SOURCE / ICE/1.0\r\n" + HOST + b"\r\n",
        b"FO O / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /healthz?\xff HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET http:// HTTP/1.1\r\n" + HOST + b"\r\n",
        b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        b"GET /a\x00b HTTP/1.1\r\n" + HOST + b"\r\n",
        "GET /é HTTP/1.1\r\n".encode() + HOST + b"\r\n",
        b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A: a\x01b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A : b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b" folded\r\n\r\n",
        b"POST /api/v1/applications HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /api/v1/applications HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
        b"POST /api/v1/applications HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)  # fmt: skip
async def test_what_is_not_http_is_a_bare_400(service, data):
    """The server refuses it with a bare 400 and closes; it is counted."""
    before = await service.metric("http_server_invalid_requests_total")
    answer = await service.exchange(data)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"\r\nconnection: close\r\n\r\n400 Bad Request\n")
    assert await service.metric("http_server_invalid_requests_total") == before + 1


@pytest.mark.parametrize(
    ("data", "answered"),
    [
        (b"get / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
        (b"FOO / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
        (b"GETX / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
        (b"DESCRIBE / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\nbody", 501),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
        (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", 505),
        (b"GET / HTTP/1.2\r\n" + HOST + b"\r\n", 505),
        (b"GET / HTTP/0.9\r\n" + HOST + b"\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"GET /?" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    ],
)  # fmt: skip
async def test_what_is_http_but_not_ours(service, data, answered):
    """What HTTP has a status for is refused with that status, bare, and counted."""
    before = await service.metric("http_server_invalid_requests_total")
    answer = await service.exchange(data)
    assert status(answer) == answered
    assert b"\r\nconnection: close\r\n\r\n" in answer
    assert await service.metric("http_server_invalid_requests_total") == before + 1


async def test_a_request_line_in_pieces(service):
    """A request line that comes byte by byte is judged like one that comes at once."""
    for line, answered in ((b"GET / RTSP/1.0", 400), (b"GET / HTTP/2.0", 505), (b"GET /healthz HTTP/1.1", 200)):
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        for byte in line + b"\r\n" + HOST + b"\r\n":
            writer.write(bytes((byte,)))
            await asyncio.sleep(0.001)
        assert status(await reader.readline()) == answered
        writer.close()


@pytest.mark.parametrize("method", ["PURGE", "QUERY", "TRACE", "SOURCE"])
async def test_a_known_method_reaches_the_application(service, method):
    """Methods that the parser knows are the application's to refuse."""
    answer = await service.exchange(service.request("/healthz", method=method))
    assert status(answer) == 405
    assert b"application/problem+json" in answer


@pytest.mark.parametrize("target", ["http://localhost", "http://localhost?limit=1", "http://localhost/"])
async def test_an_absolute_target_without_a_path(service, target):
    """An absolute target without a path is `/` (RFC 9110 section 4.2.3)."""
    answer = await service.exchange(service.request(target))
    assert status(answer) == status(await service.exchange(service.request("/")))
    assert b"\r\nx-request-id: req_" in answer


async def test_an_absolute_target_has_its_host(tmp_path):
    """The host of an absolute target counts, whatever `Host` says (RFC 9112 section 3.2.2)."""
    requests = {
        ("http://evil.example/openapi.json", "localhost"): 400,
        ("http://localhost:80/openapi.json", "evil.example"): 200,
        ("http://localhost@evil.example/openapi.json", "localhost"): 400,
        ("/openapi.json", "evil.example"): 400,
    }
    async with running(tmp_path, ALLOWED_HOSTS="localhost") as service:
        for (target, host), status in requests.items():
            head = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            answer = await service.exchange(head.encode())
            assert answer.startswith(b"HTTP/1.1 %d " % status), target


async def test_an_absolute_target_has_its_query(service):
    """The query of an absolute target is the request's."""
    answer = await service.exchange(service.request("http://localhost/api/v1/jobs?limit=nonsense"))
    assert status(answer) == 422


async def test_one_log_line_for_a_flood(service):
    """However much is not HTTP, the log says so once a minute."""
    said = service.stdout.count(b'"http.request.invalid"')
    for _ in range(20):
        await service.exchange(b"nonsense\r\n\r\n")
    await service.exchange(service.request("/fast", "X-Request-ID: behind-the-flood"))
    await until(lambda: b"behind-the-flood" in service.stdout)
    assert service.stdout.count(b'"http.request.invalid"') - said <= 1
    assert b'"http.request.invalid"' in service.stdout


@pytest.mark.parametrize(
    "target", ["/%ff", "/%c3%28", "/%00", "/%2e%2e/%2e%2e/etc/passwd", "//", "/" + "a" * 8000, "/%"]
)
async def test_odd_paths_are_not_found(service, target):
    """A path that is HTTP, if no text, is an unknown path."""
    answer = await service.exchange(service.request(target))
    assert status(answer) == 404
    assert b"application/problem+json" in answer
    assert b"\r\nx-request-id: req_" in answer


async def test_a_head_over_64_kib(service):
    """A head of 70 KiB is 431 as a problem document."""
    answer = await service.exchange(service.request("/healthz", "X-Long: " + "a" * 70 * 1024))
    assert status(answer) == 431
    assert b"application/problem+json" in answer


async def test_a_head_over_64_kib_in_small_headers(service):
    """Many small headers are a large head too."""
    answer = await service.exchange(service.request("/healthz", *(f"X-{n}: {'a' * 100}" for n in range(700))))
    assert status(answer) == 431


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nX-A: ", b"GET / HTTP/1.1\r\n" + HOST])
async def test_a_head_without_end(service, start):
    """An endless target, header or list of headers is 431 long before it fills the memory."""
    piece = b"X-B: b\r\n" * 1000 if start.endswith(b"\n") else b"a" * 8000
    reader, writer = await hesitant(service)
    writer.write(start)
    sent = 0
    answer = b""
    try:
        while sent < 4_000_000 and not answer:
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
            await asyncio.sleep(0.001)
            if reader._buffer:
                answer = await reader.read()
    except ConnectionError:
        answer = answer or bytes(reader._buffer)
    finally:
        writer.close()
    assert sent < 1_000_000
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("piece", [b"X-T: t\r\n" * 1000, b"a" * 8000])
async def test_a_trailer_without_end(service, piece):
    """What follows the last chunk is bounded like a head."""
    head = service.request(
        "/api/v1/applications", "Transfer-Encoding: chunked", "Content-Type: application/json", method="POST"
    )
    reader, writer = await hesitant(service)
    writer.write(head + b"2\r\n{}\r\n0\r\n" + (b"" if piece.endswith(b"\n") else b"X-A: "))
    sent = 0
    try:
        while sent < 4_000_000 and not reader.at_eof():
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
            await asyncio.sleep(0.001)
    except ConnectionError:
        pass
    finally:
        writer.close()
    assert sent < 1_000_000


@pytest.mark.parametrize("protocol", ["websocket", "h2c"])
async def test_an_upgrade_is_answered_in_http_1(service, protocol):
    """A request to upgrade is served as if it had not asked, and so is what follows it."""
    upgrade = f"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n".encode()
    answer = await service.exchange(upgrade + service.request("/readyz"))
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200", b"200"]


async def test_pipelined_requests_keep_their_order_and_ids(service):
    """Twenty requests in one packet get twenty answers in order, each with its own id."""
    requests = b"".join(
        service.request("/fast", f"X-Request-ID: pipe-{n}").replace(
            b"Connection: close\r\n", b"" if n < 19 else b"Connection: close\r\n"
        )
        for n in range(20)
    )
    answer = await service.exchange(requests)
    assert re.findall(rb"x-request-id: (\S+)", answer) == [b"pipe-%d" % n for n in range(20)]
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200"] * 20
    await until(lambda: re.search(rb'"pipe-19".*\n', service.stdout))
    events = [json.loads(line) for line in service.stdout.splitlines() if b"pipe-" in line]
    assert [event["request_id"] for event in events] == [f"pipe-{n}" for n in range(20)]
    assert len({event["trace_id"] for event in events}) == 20


async def test_nonsense_behind_a_request(service):
    """A proper request is answered although nonsense follows it; then the connection ends."""
    good = service.request("/slow?seconds=0.2").replace(b"Connection: close\r\n", b"")
    answer = await service.exchange(good + b"\x00\x00 nonsense\r\n\r\n")
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_probe_by_head(service, path):
    """A load balancer's HEAD is a 200 without a body."""
    answer = await service.exchange(service.request(path, method="HEAD"))
    assert status(answer) == 200
    body = (await service.exchange(service.request(path))).partition(b"\r\n\r\n")[2]
    assert b"\r\ncontent-length: %d\r\n" % len(body) in answer
    assert answer.endswith(b"\r\n\r\n")


GOOD = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
PUT = b"PUT /api/v1/profiles/me HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
BEFORE = {
    "no body": GOOD,
    "empty lines": b"\r\n\r\n" + GOOD + b"\r\n\r\n",
    "length": PUT + b"Content-Length: 8\r\n\r\na\r\n\r\nb\r\n",
    "chunks": PUT + b"Transfer-Encoding: chunked\r\n\r\n6\r\na\r\n\r\nb\r\n0\r\nX-Trailer: a\r\n\r\n",
    "upgrade": PUT + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nab",
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("protocol", [b"RTSP/1.0", b"ICE/1.0", b"HTTP/2.0", b"HTTP/1.1"])
@pytest.mark.parametrize("offer", [b"", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"], ids=["plain", "offer"])
@pytest.mark.parametrize("size", [1, 1000])
async def test_each_request_line_is_judged(service, before, protocol, offer, size):
    """Whatever comes before it and however it is cut: a request in another protocol is never served."""
    method = b"SOURCE" if protocol == b"ICE/1.0" else b"GET"
    refused = await service.metric("http_server_invalid_requests_total")
    before = BEFORE[before].replace(PUT, PUT + b"Authorization: Bearer " + service.token + b"\r\n")
    data = before + method + b" /healthz " + protocol + b"\r\n" + HOST + offer + b"\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    for at in range(0, len(data), size):
        writer.write(data[at : at + size])
        await asyncio.sleep(0)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    served = protocol == b"HTTP/1.1"
    assert answer.count(b"\r\nx-request-id: ") == 1 + served
    assert await service.metric("http_server_invalid_requests_total") == refused + (not served)


@pytest.mark.parametrize("offer", [b"", b"Connection: Upgrade, keep-alive\r\nUpgrade: h2c\r\n"])
async def test_http_1_0_stays_http_1_0(service, offer):
    """With an offer to upgrade or without: no transfer coding, and the answer ends the connection."""
    head = b"POST /healthz HTTP/1.0\r\n" + HOST + offer
    assert status(await service.exchange(head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")) == 400
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(head + b"\r\n")
    assert b"\r\nconnection: close\r\n" in await reader.read()  # to its end, which is the server's
    writer.close()


async def test_http_1_0_expects_nothing(service):
    """`Expect: 100-continue` of an HTTP/1.0 client is ignored (RFC 9110 section 10.1.1)."""
    body = b'{"job_id": "job_0", "note": null}'
    for version, told in ((b"1.0", 0), (b"1.1", 1)):
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(
            b"POST /api/v1/applications HTTP/" + version + b"\r\n" + HOST + b"Connection: close\r\n"
            b"Authorization: Bearer " + service.token + b"\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n"
        )
        await asyncio.sleep(0.2)
        writer.write(body)
        answer = await reader.read()
        writer.close()
        assert answer.count(b"HTTP/1.1 100 ") == told
        assert b"HTTP/1.1 422 " in answer


async def test_a_broken_chunk(service):
    """A body whose framing breaks is a bare 400."""
    head = service.request(
        "/api/v1/applications", "Transfer-Encoding: chunked", "Content-Type: application/json", method="POST"
    )
    assert status(await service.exchange(head + b"zz\r\n{}\r\n0\r\n\r\n")) == 400


async def test_a_large_body_is_answered_before_it_ends(service):
    """Whoever sends 12 MB at once sees the 413 and no reset, although the connection ends with it."""
    head = service.request(
        "/api/v1/applications", "Content-Length: 12000000", "Content-Type: application/json", method="POST"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(head)
    for _ in range(120):
        writer.write(b"a" * 100_000)
        await asyncio.sleep(0)
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
    writer.close()
    assert status(answer) == 413


@pytest.mark.parametrize("reset", [False, True])
async def test_a_client_that_leaves(service, reset):
    """Clients that vanish in their head, in their body or while they wait leave nothing behind."""
    head = service.request(
        "/api/v1/applications", "Content-Length: 100", "Content-Type: application/json", method="POST"
    )
    pipelined = service.request("/slow?seconds=1").replace(b"Connection: close\r\n", b"") * 3
    for data in (b"GET /he", head + b"{", service.request("/slow?seconds=1"), pipelined):
        with socket.create_connection(("127.0.0.1", service.port)) as client:
            client.sendall(data)
            await asyncio.sleep(0.05)
            if reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await service.serves(0)


async def test_pipelined_requests_wait_in_the_client(service, tmp_path):
    """While a request runs, those behind it fill the client's buffers, not the server's memory."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    head = b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Fill: " + b"a" * 4000 + b"\r\n\r\n"
    lasting = service.request(f"/until?file={tmp_path / 'released'}").replace(b"Connection: close\r\n", b"")
    writer.write(lasting + head * 5000)
    await asyncio.sleep(1)
    assert writer.transport.get_write_buffer_size() > 10_000_000
    assert reader._buffer == b""
    writer.transport.abort()
    (tmp_path / "released").touch()
    await service.serves(0)
