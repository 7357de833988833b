"""What cannot be used is said at the start, in one line that names the setting; what is only away is not."""

import asyncio
import datetime as dt
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from service.limits import BackendUnusable
from service.limits.redis import keeper
from tests.service.redis_server import RedisServer, free_port
from tests.service.run.process import completed, environment

NOBODY = ("--user", "nobody", "on", ">s3cret", "~*", "+@all", "-@scripting")
ELSEWHERE = ("--user", "elsewhere", "on", ">s3cret", "~other:*", "+@all")


@pytest.mark.parametrize(
    ("options", "user", "path", "said"),
    [
        (("--requirepass", "s3cret"), "", "", "the server does not accept this user and password"),
        (("--requirepass", "s3cret"), ":wr0ng@", "", "the server does not accept this user and password"),
        ((), ":wr0ng@", "", "the server does not accept this user and password"),
        ((), "", "/99", "the server has no database of this number"),
        (NOBODY, "nobody:s3cret@", "", "the user may not run scripts, or not on these keys"),
        (ELSEWHERE, "elsewhere:s3cret@", "", "the user may not run scripts, or not on these keys"),
        (
            ("--rename-command", "EVALSHA", ""),
            "",
            "",
            "the server does not know scripts (EVAL, EVALSHA)",
        ),
        (
            ("--replicaof", "127.0.0.1", "1"),
            "",
            "",
            "the server is a read-only replica; the primary is needed",
        ),
    ],
    ids=["no password", "wrong password", "unasked password", "database", "scripts", "keys", "no scripts", "replica"],
)
async def test_what_cannot_be_used_is_said_at_once(redis_server, replica, options, user, path, said):
    """The line names the setting, and shows neither the address nor the password."""
    with RedisServer(*options) as server, pytest.raises(BackendUnusable) as refused:
        async with replica(f"redis://{user}127.0.0.1:{server.port}{path}", b"secret"):
            pass
    assert str(refused.value) == f"REDIS_URL: {said}"


async def test_what_answers_is_not_redis(replica):
    """A web server is told apart from a server that is away."""

    async def answer(_reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(BackendUnusable, match="what answers there is not Redis"):
            async with replica(f"redis://127.0.0.1:{port}", b"secret"):
                pass


async def test_a_full_server_is_a_reason_of_its_own(redis_server, replica, monkeypatch):
    """With `maxmemory` reached the service starts, goes by its share, and says why; with room again it is used."""
    monkeypatch.setattr(keeper, "SILENCE_SECONDS", 0.2)  # nobody else is waited for
    with RedisServer("--maxmemory", "1") as server:
        async with replica(server.url, b"secret") as one:
            assert one.backend.deciding() == ("share", "the server's maxmemory is reached, and it evicts nothing")
            assert (await one.limiter.hit("default", "ada")).allowed
            server.ask("CONFIG", "SET", "maxmemory", "0")
            await one.decides_by("redis")
            assert await one.admitted(20) == 9


async def test_a_unix_socket(redis_server, replica):
    """A server on this machine without a port."""
    async with replica(f"unix://{redis_server.socket_path}?db=1", b"socket") as one:
        assert one.backend.deciding() == ("redis", None)
        assert await one.admitted(11) == 10


async def test_a_certificate_of_nobody(redis_server, replica, tmp_path, monkeypatch):
    """A server's certificate must be one of a known authority, and is then enough."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    day = dt.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(dt.datetime.now(dt.UTC) - day)
        .not_valid_after(dt.datetime.now(dt.UTC) + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "cert").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key").write_bytes(key.private_bytes(*plain))
    files = ("--tls-cert-file", str(tmp_path / "cert"), "--tls-key-file", str(tmp_path / "key"))
    with RedisServer() as server:
        port = str(free_port())
        server.ask("CONFIG", "SET", "tls-cert-file", files[1], "tls-key-file", files[3], "tls-auth-clients", "no")
        server.ask("CONFIG", "SET", "tls-port", port)
        with pytest.raises(BackendUnusable, match="the server's certificate is not trusted"):
            async with replica(f"rediss://127.0.0.1:{port}", b"secret"):
                pass
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert"))
        async with replica(f"rediss://127.0.0.1:{port}", b"secret") as one:
            assert one.backend.deciding() == ("redis", None)


async def test_the_service_says_it_in_one_line(redis_server, tmp_path):
    """`run` ends with that line, and with nothing of the password."""
    url = f"redis://:wr0ng@127.0.0.1:{redis_server.port}"
    status, _, err = await completed("run", env=environment(tmp_path, REDIS_URL=url))
    assert (status, err) == (1, "service: REDIS_URL: the server does not accept this user and password\n")
