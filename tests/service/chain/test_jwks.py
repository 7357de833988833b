"""Keys from a real local JWKS server: rotation, floods of unknown keys, outages."""

import asyncio
import hashlib
import hmac
import json
import threading
import time
from base64 import urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from service.auth import JwksKeys, KeysUnavailable, TokenRefused, Verifier
from service.auth.jwks import MAX_AGE_SECONDS, REFRESH_SECONDS, UNKNOWN_KEY_SECONDS
from service.auth.keys import usable_keys
from tests.service.chain.chain import AUDIENCE, ISSUER, Clock, claims, token

ONE = rsa.generate_private_key(65537, 2048)
TWO = rsa.generate_private_key(65537, 2048)
WEAK = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that it is refused is the test
CURVE = ec.generate_private_key(ec.SECP256R1())


def jwk(key, kid: str, algorithm=RSAAlgorithm, **changes) -> dict:
    """A key as it is published."""
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, **changes}


class Server:
    """Serves a JWKS document, or does what a broken server does."""

    def __init__(self) -> None:
        self.document: object = {"keys": [jwk(ONE, "one")]}
        self.raw: bytes | None = None
        self.status = 200
        self.delay = 0.0
        self.fetches = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.fetches += 1
                time.sleep(outer.delay)
                body = outer.raw if outer.raw is not None else json.dumps(outer.document).encode()
                self.send_response(outer.status)
                if outer.status == 302:
                    self.send_header("Location", outer.url)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/keys"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server():
    """A running JWKS server."""
    running = Server()
    yield running
    running.close()


class Judge:
    """A verifier of one JWKS URL, with a clock for the keys."""

    def __init__(self, url: str, algorithm: str = "RS256") -> None:
        self.clock = Clock(0.0)
        self.keys = JwksKeys(url, algorithm, clock=self.clock)
        self.verifier = Verifier(algorithm=algorithm, keys=self.keys, audience=AUDIENCE, issuer=ISSUER, now=Clock())

    async def reason(self, text: str) -> str:
        try:
            await self.verifier.verify(text.encode())
        except TokenRefused as error:
            return error.reason
        except KeysUnavailable:
            return "unavailable"
        return ""


def signed(key=ONE, kid: str | None = "one", **changes) -> str:
    """A token of a published key."""
    return token(key, "RS256", {"kid": kid} if kid is not None else None, **changes)


async def settled(judge: Judge) -> None:
    """Wait for a refresh that runs in the background."""
    if judge.keys._fetching is not None:
        await judge.keys._fetching


async def test_a_token_of_a_published_key_is_good(server):
    """The key is found by `kid`, and the document is read once for many tokens."""
    judge = Judge(server.url)
    for subject in range(5):
        assert await judge.reason(signed(sub=f"s{subject}")) == ""
    assert server.fetches == 1


async def test_elliptic_curves_work_too(server):
    """ES256 with a P-256 key."""
    server.document = {"keys": [jwk(CURVE, "curve", ECAlgorithm)]}
    text = token(CURVE, "ES256", {"kid": "curve"})
    assert await Judge(server.url, "ES256").reason(text) == ""


async def test_an_hmac_of_the_public_key_is_refused(server):
    """HS256 signed with the RSA public key's text, in every spelling, is refused for its algorithm."""
    judge = Judge(server.url)
    public = ONE.public_key()
    spellings = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(jwk(ONE, "one")).encode(),
    ]
    for spelling in spellings:
        parts = [{"alg": "HS256", "kid": "one"}, claims()]
        signing_input = b".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
        mac = urlsafe_b64encode(hmac.new(spelling, signing_input, hashlib.sha256).digest()).rstrip(b"=")
        assert await judge.reason((signing_input + b"." + mac).decode()) == "algorithm"


async def test_a_flood_of_unknown_keys_causes_one_fetch(server):
    """200 concurrent tokens with invented key ids, and 200 more later: one refetch in 30 s."""
    judge = Judge(server.url)
    assert await judge.reason(signed()) == ""
    judge.clock.now = UNKNOWN_KEY_SECONDS
    server.delay = 0.05
    reasons = await asyncio.gather(*(judge.reason(signed(TWO, f"k{i}")) for i in range(200)))
    assert set(reasons) == {"unknown_key"}
    assert server.fetches == 2
    for second in range(1, 30):
        judge.clock.now = UNKNOWN_KEY_SECONDS + second
        assert await judge.reason(signed(TWO, f"late {second}")) == "unknown_key"
    assert server.fetches == 2
    judge.clock.now = 2 * UNKNOWN_KEY_SECONDS
    assert await judge.reason(signed(TWO, "again")) == "unknown_key"
    assert server.fetches == 3


async def test_a_token_without_a_key_id_causes_no_fetch(server):
    """Without `kid` there is nothing to look for."""
    judge = Judge(server.url)
    await judge.reason(signed())
    judge.clock.now = 100.0
    assert await judge.reason(signed(kid=None)) == "unknown_key"
    assert server.fetches == 1


async def test_a_new_key_is_found_by_the_first_token_that_names_it(server):
    """Rotation needs no restart: whoever comes during the one fetch waits for it and is judged by it."""
    judge = Judge(server.url)
    await judge.reason(signed())
    server.document = {"keys": [jwk(ONE, "one"), jwk(TWO, "two")]}
    judge.clock.now = UNKNOWN_KEY_SECONDS
    reasons = await asyncio.gather(*(judge.reason(signed(TWO, "two", sub=f"s{i}")) for i in range(20)))
    assert set(reasons) == {""}
    assert server.fetches == 2


async def test_a_removed_key_stops_working_after_the_refresh(server):
    """A key that is gone is gone for tokens that were already known, too."""
    judge = Judge(server.url)
    old = signed()
    assert await judge.reason(old) == ""
    judge.verifier.known(old.encode())
    await judge.reason(old)
    assert judge.verifier.known(old.encode()) is not None
    server.document = {"keys": [jwk(TWO, "two")]}
    judge.clock.now = REFRESH_SECONDS
    judge.verifier.known(old.encode())  # the use that begins the refresh
    await settled(judge)
    assert judge.verifier.known(old.encode()) is None
    assert await judge.reason(old) == "unknown_key"


async def test_another_key_under_the_same_id_replaces_it(server):
    """A key is its numbers, not its name."""
    judge = Judge(server.url)
    await judge.reason(signed())
    server.document = {"keys": [jwk(TWO, "one")]}
    judge.clock.now = REFRESH_SECONDS
    judge.keys.generation()
    await settled(judge)
    assert await judge.reason(signed()) == "signature"
    assert await judge.reason(signed(TWO, "one")) == ""


@pytest.mark.parametrize("trouble", ["status", "not_json", "no_keys", "too_large", "redirect"])
async def test_known_keys_serve_on_while_the_server_is_broken(server, trouble):
    """Whatever the server answers, known keys serve on until their maximum age; then it is 503, not 401."""
    judge = Judge(server.url)
    assert await judge.reason(signed()) == ""
    if trouble == "status":
        server.status = 500
    elif trouble == "redirect":
        server.status = 302
    else:
        server.raw = {"not_json": b"<html>", "no_keys": b'{"keys": []}', "too_large": b" " * 600_000}[trouble]
    judge.clock.now = REFRESH_SECONDS
    assert await judge.reason(signed(sub="second")) == ""
    await settled(judge)
    judge.clock.now = MAX_AGE_SECONDS - 1
    assert await judge.reason(signed(sub="third")) == ""
    await settled(judge)
    judge.clock.now = MAX_AGE_SECONDS
    assert await judge.reason(signed(sub="fourth")) == "unavailable"


async def test_without_any_key_nobody_is_blamed(server):
    """No key at all is 503 for every token, with one fetch for all of them, and heals by itself."""
    server.status = 500
    judge = Judge(server.url)
    reasons = await asyncio.gather(*(judge.reason(signed(sub=f"s{i}")) for i in range(50)))
    assert set(reasons) == {"unavailable"}
    assert server.fetches == 1
    server.status = 200
    judge.clock.now = 5.0
    assert await judge.reason(signed()) == ""


async def test_a_client_that_leaves_does_not_cancel_the_fetch(server):
    """The fetch belongs to all who wait for it."""
    server.delay = 0.1
    judge = Judge(server.url)
    leaving = asyncio.create_task(judge.reason(signed(sub="leaving")))
    staying = asyncio.create_task(judge.reason(signed()))
    await asyncio.sleep(0.03)
    leaving.cancel()
    assert await staying == ""
    assert server.fetches == 1


async def test_proxies_of_the_environment_are_not_asked(server, monkeypatch):
    """Only the configured host is asked for keys."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert await Judge(server.url).reason(signed()) == ""


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/keys", "keys.json", "data:,{}"])
def test_only_http_addresses_are_keys(url):
    """A JWKS URL is http or https."""
    with pytest.raises(ValueError, match="http"):
        JwksKeys(url, "RS256")


@pytest.mark.parametrize(
    "member",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "k"},
        jwk(ONE, "k", use="enc"),
        jwk(ONE, "k", alg="RS512"),
        jwk(ONE, "k", key_ops=["encrypt"]),
        jwk(ONE, ""),
        {**jwk(ONE, "k"), "kid": 7},
        jwk(ONE, "k", n="!"),
        {**RSAAlgorithm.to_jwk(ONE, as_dict=True), "kid": "k"},
        jwk(CURVE, "k", ECAlgorithm),
        "not a key",
    ],
)
def test_a_key_that_is_not_for_the_pinned_algorithm_is_left_out(member):
    """Secrets, private keys, keys for encryption or another algorithm, and broken ones are no keys of ours."""
    assert list(usable_keys({"keys": [member, jwk(ONE, "good")]}, "RS256")) == ["good"]


@pytest.mark.parametrize("document", [None, [], "keys", {}, {"keys": None}, {"keys": {}}])
def test_what_is_no_key_set_has_no_keys(document):
    """Any JSON is read without an error."""
    assert usable_keys(document, "RS256") == {}


async def test_a_weak_key_is_refused(server):
    """An RSA key of 1,024 bits verifies nothing (RFC 7518 section 3.3)."""
    server.document = {"keys": [jwk(WEAK, "weak")]}
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        text = signed(WEAK, "weak")
    assert await Judge(server.url).reason(text) == "unknown_key"
