"""Verification of tokens: every attack that is named is refused, with its reason."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.access import Principal
from service.auth import JwksKeys, SecretKey, TokenRefused, Verifier
from tests.service.chain.chain import AUDIENCE, ISSUER, NOW, SECRET, Clock, claims, token


def verifier(clock=None, **changes) -> Verifier:
    """A verifier for the tests' secret."""
    options = {"algorithm": "HS256", "keys": SecretKey(SECRET), "audience": AUDIENCE, "issuer": ISSUER}
    return Verifier(**{**options, "now": clock or Clock(), **changes})


def forged(header: object, payload: object, key: bytes = SECRET) -> str:
    """A correctly signed token of any header and payload."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, payload)]
    signing_input = b".".join(parts)
    signature = hmac.new(key, signing_input, hashlib.sha256).digest()
    return b".".join([signing_input, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


async def reason(text: str, **changes) -> str:
    """Why a token is refused; "" when it is not."""
    try:
        await verifier(**changes).verify(text.encode())
    except TokenRefused as error:
        return error.reason
    return ""


async def test_a_good_token_makes_a_principal():
    """The principal is the token's subject and roles."""
    principal = await verifier().verify(token(roles=["reader"]).encode())
    assert principal == Principal("ada", frozenset({"reader"}))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"exp": NOW - 1}, "expired"),
        ({"exp": NOW}, "expired"),
        ({"nbf": NOW + 60}, "not_yet_valid"),
        ({"iat": NOW + 60}, "not_yet_valid"),
        ({"nbf": NOW + 4, "iat": NOW + 4}, ""),
        ({"aud": "another"}, "audience"),
        ({"aud": [AUDIENCE, "another"]}, ""),
        ({"aud": []}, "claims"),
        ({"iss": "https://other.test"}, "issuer"),
        ({"exp": None}, "claims"),
        ({"sub": None}, "claims"),
        ({"aud": None}, "claims"),
        ({"iss": None}, "claims"),
        ({"sub": ""}, "claims"),
        ({"sub": "x" * 256}, "claims"),
        ({"sub": "x" * 255}, ""),
        ({"sub": "line\nbreak"}, "claims"),
        ({"roles": "admin"}, "claims"),
        ({"roles": [1]}, "claims"),
        ({"roles": ["r"] * 65}, "claims"),
    ],
)
async def test_claims(changes, expected):
    """`exp`, `sub`, `aud` and `iss` are needed, and every claim must be what it has to be."""
    assert expected == await reason(token(**changes))


@pytest.mark.parametrize("exp", [True, "9999999999", [], {}, float("inf"), float("nan"), 10**400, -(10**400)])
async def test_an_absurd_expiry_is_a_refusal(exp):
    """A number that is none, or too large for one, is refused and never an error of ours."""
    assert await reason(forged({"alg": "HS256"}, claims(exp=exp))) == "claims"


@pytest.mark.parametrize("subject", [1, [], {}, True])
async def test_a_subject_that_is_no_text_is_refused(subject):
    """A subject is text."""
    assert await reason(forged({"alg": "HS256"}, claims(sub=subject))) == "claims"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS384", "HS512", "RS256", "", None, 1, ["HS256"]])
async def test_only_the_pinned_algorithm_is_accepted(alg):
    """`alg=none` and every other algorithm than the configured one is refused, whatever the signature."""
    assert await reason(forged({"alg": alg}, claims())) == "algorithm"


async def test_an_unsigned_token_is_refused():
    """Neither `alg=none` without a signature nor a stripped signature is accepted."""
    unsigned = forged({"alg": "none"}, claims()).rpartition(".")[0] + "."
    assert await reason(unsigned) == "algorithm"
    assert await reason(token().rpartition(".")[0] + ".") == "signature"


@pytest.mark.parametrize("member", ["jku", "x5u", "x5c", "jwk", "crit"])
async def test_a_header_that_brings_a_key_or_an_extension_is_refused(member):
    """`jku`, `x5u`, `x5c`, `jwk` and `crit` are refused even under a good signature."""
    assert await reason(forged({"alg": "HS256", member: "https://attacker.test/"}, claims())) == "header"


@pytest.mark.parametrize("key_id", [1, None, [], {"a": 1}])
async def test_a_key_id_is_text(key_id):
    """A `kid` of another type is refused."""
    assert await reason(forged({"alg": "HS256", "kid": key_id}, claims())) == "header"


async def test_another_secrets_signature_is_refused():
    """A token of another secret is refused."""
    assert await reason(token(b"another secret that is long enough!!")) == "signature"


async def test_a_token_over_8_kib_is_refused_unparsed():
    """An oversized token is refused for its size, before anything of it is decoded."""
    assert await reason(token(note="x" * 9000)) == "oversized"
    assert await reason("." * 8193) == "oversized"


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "...", "a.b", "a.b.c", "e30.e30", "é.é.é", "W10.e30.e30", "bnVsbA.e30.e30", "W1" * 2000 + ".."],
)
async def test_what_is_no_token_is_malformed(text):
    """Nonsense is refused as malformed, or for the algorithm that it does not name."""
    assert await reason(text) in {"malformed", "algorithm"}


async def test_deep_nesting_is_a_refusal():
    """A header or payload that nests thousands of times is refused, not an error of ours."""
    deep = base64.urlsafe_b64encode(b"[" * 5000).decode().rstrip("=")
    assert await reason(f"{deep}.e30.e30") == "malformed"
    head, _, _ = token().split(".")
    signing_input = f"{head}.{deep}".encode()
    signature = base64.urlsafe_b64encode(hmac.new(SECRET, signing_input, hashlib.sha256).digest())
    assert await reason(f"{head}.{deep}.{signature.decode().rstrip('=')}") == "malformed"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: f"{token()}{text}x".encode()))
async def test_whatever_comes_is_refused_and_never_an_error(raw):
    """No bytes make the verifier do anything but refuse."""
    with pytest.raises(TokenRefused):
        await verifier().verify(raw)


async def test_hmac_never_meets_published_keys():
    """An HS algorithm with a key set, or a secret with anything else, cannot even be configured."""
    with pytest.raises(ValueError, match="asymmetric"):
        JwksKeys("https://issuer.test/keys", "HS256")
    with pytest.raises(ValueError, match="HMAC"):
        verifier(keys=JwksKeys("https://issuer.test/keys", "RS256"))
    with pytest.raises(ValueError, match="HMAC"):
        verifier(algorithm="RS256")


async def test_a_verified_token_is_known():
    """A verified token is known from its whole text; one changed character makes it unknown."""
    judge, good = verifier(), token().encode()
    assert judge.known(good) is None
    await judge.verify(good)
    assert judge.known(good) == Principal("ada")
    assert judge.known(good[:-1] + (b"A" if good[-1:] != b"A" else b"B")) is None


async def test_a_known_token_expires_all_the_same():
    """A remembered token is checked against `exp` every time."""
    clock = Clock()
    judge, good = verifier(clock), token(exp=NOW + 10).encode()
    await judge.verify(good)
    clock.now = NOW + 9.9
    assert judge.known(good) is not None
    clock.now = NOW + 10
    assert judge.known(good) is None


async def test_a_refused_token_is_never_remembered():
    """A failure leaves nothing behind."""
    judge, bad = verifier(), token(exp=NOW - 1).encode()
    with pytest.raises(TokenRefused):
        await judge.verify(bad)
    assert judge.known(bad) is None


async def test_the_memory_of_good_tokens_is_bounded():
    """However many good tokens come, no more than the stated number is remembered; the recent ones are."""
    judge = verifier(cached_tokens=10)
    tokens = [token(sub=f"s{i}").encode() for i in range(50)]
    for text in tokens:
        await judge.verify(text)
    known = [text for text in tokens if judge.known(text) is not None]
    assert 5 <= len(known) <= 10
    assert tokens[-1] in known


async def test_a_change_of_keys_empties_the_memory():
    """What was verified with the old keys is verified anew with the new ones."""

    class Keys(SecretKey):
        number = 0

        def generation(self) -> int:
            return self.number

    keys = Keys(SECRET)
    judge, good = verifier(keys=keys), token().encode()
    await judge.verify(good)
    keys.number = 1
    assert judge.known(good) is None
