"""The gateway: default deny, one answer for every broken token, and a limit on failures."""

import pytest

from service.auth import KeysUnavailable, SecretKey, Verifier
from service.middleware.request_limit import address_key
from service.settings import RateLimitPolicy
from tests.service.chain.chain import AUDIENCE, ISSUER, NOW, POLICIES, SECRET, Chain, Clock, token

CHALLENGE = 'Bearer realm="clearstory"'


async def test_a_good_token_reaches_the_handler_with_its_principal():
    """The handler and the record know who calls."""
    answer = await Chain()("GET", "/api/inner/me/cv", bearer=token(roles=["reader"]))
    assert answer.json() == {"part": "cv", "subject": "ada", "roles": ["reader"]}
    assert answer.record.principal == "ada"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/inner/me/cv"),
        ("GET", "/sub/deep/a"),
        ("GET", "/no/such/path"),
        ("DELETE", "/api/inner/me/cv"),
        ("OPTIONS", "/api/inner/me/cv"),
        ("PROPFIND", "/"),
    ],
)
async def test_without_a_token_everything_that_is_not_open_is_401(method, path):
    """Unknown paths and methods are no exception, and the challenge names no error (RFC 6750, 3.1)."""
    answer = await Chain()(method, path)
    assert (answer.status, answer.header("www-authenticate")) == (401, CHALLENGE)
    assert answer.header("content-type") == "application/problem+json"
    assert answer.record.rejection == ("gateway", "missing")


async def test_with_a_token_the_router_answers():
    """A known caller learns that there is no such path or method."""
    chain = Chain()
    assert (await chain("GET", "/no/such/path", bearer=token())).status == 404
    assert (await chain("DELETE", "/api/inner/me/cv", bearer=token())).status == 405


async def test_open_routes_need_no_token_and_ignore_a_bad_one():
    """A public route is public, and an unknown method on it is 405."""
    chain = Chain()
    assert (await chain("GET", "/open", bearer="nonsense")).status == 200
    assert (await chain("GET", "/healthz")).status == 200
    assert (await chain("DELETE", "/healthz")).status == 405


BAD = {
    "malformed": "nonsense",
    "expired": token(exp=NOW - 1),
    "signature": token(b"another secret that is long enough!!"),
    "audience": token(aud="other"),
    "issuer": token(iss="other"),
    "algorithm": token(None, "none"),
    "header": token(headers={"jku": "https://attacker.test"}),
    "claims": token(sub=None),
    "not_yet_valid": token(nbf=NOW + 100),
    "oversized": token(note="x" * 9000),
}


@pytest.mark.parametrize("reason", BAD)
async def test_every_broken_token_gets_the_same_answer(reason):
    """The client learns that its token is not valid; why is for the log. Nothing of the token comes back."""
    answer = await Chain()("GET", "/api/inner/me/cv", bearer=BAD[reason])
    assert (answer.status, answer.header("www-authenticate")) == (401, CHALLENGE + ', error="invalid_token"')
    assert answer.record.rejection == ("gateway", reason)
    assert BAD[reason][:20].encode() not in answer.body
    assert answer.json()["request_id"] == "req_test"
    assert answer.record.principal is None


@pytest.mark.parametrize("value", ["Basic YTpi", "Bearer", "Bearer ", "Token x", "", b"Bearer \xff\xfe"])
async def test_other_credentials_are_broken_tokens(value):
    """Another scheme, or none, is refused like a broken token."""
    answer = await Chain()("GET", "/api/llm", ("authorization", value))
    assert answer.status == 401
    assert answer.header("www-authenticate") == CHALLENGE + ', error="invalid_token"'


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
async def test_the_scheme_is_case_insensitive(scheme):
    """RFC 9110, 11.1; one or more spaces may follow."""
    assert (await Chain()("GET", "/api/llm", ("authorization", f"{scheme} {token()}"))).status == 200


async def test_two_authorizations_are_refused():
    """Two credentials are refused, even if both are good."""
    header = ("authorization", f"Bearer {token()}")
    assert (await Chain()("GET", "/api/llm", header, header)).status == 401


async def test_failures_count_against_the_address():
    """Over the `auth` policy a token is refused unverified with 429; a known good one passes still."""
    clock = Clock()
    chain = Chain(clock=clock, policies={**POLICIES, "default": RateLimitPolicy(limit=100, window=60.0)})
    good, other = token(), token(sub="grace")
    assert (await chain("GET", "/api/inner/me/a", bearer=good)).status == 200
    statuses = [(await chain("GET", "/api/inner/me/a", bearer="bad")).status for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    refused = await chain("GET", "/api/inner/me/a", bearer=other)
    assert refused.status == 429
    assert refused.header("retry-after") == "60"
    assert refused.header("ratelimit-policy") == '"auth";q=3;w=60'
    assert refused.header("ratelimit") == '"auth";r=0;t=60'
    assert refused.record.rejection == ("gateway", "auth_rate_limited")
    assert refused.record.refused_by == ("auth", "requests")
    counted = chain.metrics.values
    assert len(counted["rate_limit_requests_total", "auth", "allowed"]) == 3
    assert len(counted["rate_limit_requests_total", "auth", "refused"]) == 3
    assert (await chain("GET", "/api/inner/me/a", bearer=good)).status == 200
    assert (await chain("GET", "/api/inner/me/a", bearer=other, client="192.0.2.2")).status == 200
    clock.now += 60
    assert (await chain("GET", "/api/inner/me/a", bearer=other)).status == 200


@pytest.mark.parametrize(
    ("path", "policy", "limit", "window"),
    [("/api/llm", "llm", 2, 10), ("/api/inner/me/cv", "default", 5, 60), ("/no/such/path", "default", 5, 60)],
)
async def test_requests_without_a_token_are_limited_by_address(path, policy, limit, window):
    """Scanning is limited like use: in the window of the route's own policy, before the 401, which tells of it."""
    chain = Chain()
    for i in range(limit):
        answer = await chain("GET", path)
        assert (answer.status, answer.record.rate_limit) == (401, "allowed")
        assert answer.header("ratelimit-policy") == f'"{policy}";q={limit};w={window}'
        assert answer.header("ratelimit") == f'"{policy}";r={limit - 1 - i};t={window}'
    answer = await chain("GET", path)
    assert (answer.status, answer.header("retry-after"), answer.record.rate_limit) == (429, str(window), "refused")
    assert answer.header("ratelimit") == f'"{policy}";r=0;t={window}'
    assert answer.record.rejection == ("gateway", "rate_limited")
    assert answer.record.refused_by == (policy, "requests")
    assert len(chain.metrics.values["rate_limit_requests_total", policy, "allowed"]) == limit
    assert len(chain.metrics.values["rate_limit_requests_total", policy, "refused"]) == 1
    assert (await chain("GET", path, client="192.0.2.99")).status == 401


async def test_requests_without_a_token_lock_nobody_out():
    """Those behind the same address who send a good token, or a bad one, are judged as before."""
    chain = Chain()
    for _ in range(10):
        await chain("GET", "/api/llm")
    assert (await chain("GET", "/api/llm", bearer=token())).status == 200
    assert (await chain("GET", "/api/llm", bearer="bad")).status == 401


async def test_a_known_token_expires_at_the_gateway():
    """A token that was good a moment ago is 401 when it has expired."""
    clock = Clock()
    chain = Chain(clock=clock)
    text = token(exp=NOW + 5)
    assert (await chain("GET", "/api/llm", bearer=text)).status == 200
    clock.now += 5
    assert (await chain("GET", "/api/llm", bearer=text)).record.rejection == ("gateway", "expired")


async def test_without_keys_the_answer_is_503():
    """No verification key is our trouble, not the caller's: 503, Retry-After, and no failure is counted."""

    class NoKeys(SecretKey):
        async def find(self, key_id: str | None) -> bytes:
            raise KeysUnavailable(5.0)

    verifier = Verifier(algorithm="HS256", keys=NoKeys(SECRET), audience=AUDIENCE, issuer=ISSUER, now=Clock())
    chain = Chain(verifier=verifier)
    for _ in range(5):
        answer = await chain("GET", "/api/llm", bearer=token())
        assert (answer.status, answer.header("retry-after")) == (503, "5")


@pytest.mark.parametrize("path", ["/api/llm", "/open", "/healthz", "/no/such"])
async def test_a_head_over_64_kib_is_431_everywhere(path):
    """The head is judged before anything reads it, on public routes too."""
    answer = await Chain()("GET", path, *[(f"x-{i}", "v" * 1000) for i in range(66)])
    assert answer.status == 431
    assert answer.record.rejection == ("gateway", "head_too_large")


async def test_a_head_of_nearly_64_kib_is_read():
    """The bound is 64 KiB, not less."""
    assert (await Chain()("GET", "/open", *[(f"x-{i}", "v" * 1000) for i in range(63)])).status == 200


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        ("", "unix:", False),
    ],
)
def test_which_addresses_are_one_client(one, other, same):
    """IPv4 whole, IPv6 by its /64, IPv4-mapped IPv6 as IPv4."""
    assert (address_key(one) == address_key(other)) is same


async def test_a_refusal_with_a_body_closes_the_connection():
    """The body that nobody reads does not keep the connection."""
    chain = Chain()
    assert (await chain("POST", "/api/items", body=b"{}")).header("connection") == "close"
    assert (await chain("GET", "/api/llm")).header("connection") is None
