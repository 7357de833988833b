"""Pseudonyms: one person is one pseudonym, in whatever spelling, and nobody can tell who."""

import hashlib
import hmac

import pytest

from telemetry.pii import Item, Pseudonyms, load

KEY = b"a key of the deployment"
SAME = [
    ("email", ["bob@example.com", "BOB@Example.COM", "bob%40example.com", "bob%2540example.com", "%62ob@example.com"]),
    ("email", ["bob+cv@example.com", "bob%2Bcv%40example.com", "Bob%2bCV%40example.com"]),
    ("email", ["jürgen@müller.example", "j%C3%BCrgen%40m%C3%BCller.example", "JÜRGEN@MÜLLER.EXAMPLE"]),
    ("ip", ["2001:db8::1", "2001:DB8:0:0:0:0:0:1", "2001%3Adb8%3A%3A1", "2001:0db8:0000::0001", "[2001:db8::1]"]),
    ("ip", ["192.0.2.17", "::ffff:192.0.2.17", "::FFFF:c000:211"]),
    ("user", ["auth0|bob", "auth0%7Cbob"]),
]


@pytest.mark.parametrize(("kind", "spellings"), SAME)
def test_spellings_share_a_pseudonym(kind: str, spellings: list[str]) -> None:
    """Every spelling of a value gives the same pseudonym."""
    assert len({Pseudonyms(KEY).of(kind, spelling) for spelling in spellings}) == 1


def test_form_and_algorithm() -> None:
    """A pseudonym is the first 16 hex digits of HMAC-SHA-256 over kind, NUL and canonical value."""
    digits = hmac.new(KEY, b"email\0bob@example.com", hashlib.sha256).hexdigest()[:16]
    assert Pseudonyms(KEY).of("email", "Bob@example.com") == f"[REDACTED:email:h{digits}]"


def test_kinds_keys_and_people_are_apart() -> None:
    """Another kind, another key, another value and a user of another case give another pseudonym."""
    made = [
        Pseudonyms(KEY).of("email", "bob@example.com"),
        Pseudonyms(KEY).of("user", "bob@example.com"),
        Pseudonyms(b"another key").of("email", "bob@example.com"),
        Pseudonyms(KEY).of("email", "rob@example.com"),
        Pseudonyms(KEY).of("user", "bob"),
        Pseudonyms(KEY).of("user", "Bob"),
    ]
    assert len({pseudonym.partition(":h")[2] for pseudonym in made}) == len(made)


def test_no_key_no_pseudonym() -> None:
    """Without a key there is a plain placeholder."""
    assert Pseudonyms(None).of("email", "bob@example.com") == "[REDACTED:email]"
    assert load().text("bob@example.com") == "[REDACTED:email]"


def test_same_person_in_text_and_under_a_key() -> None:
    """A client's address is the same pseudonym in a text and as an attribute, and a user's id has its own kind."""
    scrubber = load(pseudonym_key=KEY)
    address = Pseudonyms(KEY).of("ip", "203.0.113.9")
    assert scrubber.text("from 203.0.113.9:443") == f"from {address}:443"
    attributes = {"client.address": "203.0.113.9", "user.id": "bob", "enduser.id": 7}
    assert Item(scrubber).mapping(attributes, "attributes") == {
        "client.address": address,
        "user.id": Pseudonyms(KEY).of("user", "bob"),
        "enduser.id": Pseudonyms(KEY).of("user", "7"),
    }


def test_pseudonym_stays_what_it_is() -> None:
    """What is a pseudonym already is left alone, in a text and under a key."""
    scrubber = load(pseudonym_key=KEY)
    once = scrubber.text("bob@example.com")
    assert scrubber.text(once) == once
    assert Item(scrubber).mapping({"user.id": once, "email": once}, "") == {"user.id": once, "email": once}


def test_undecodable_value_has_one_too() -> None:
    """A value that is no text in UTF-8 has a pseudonym."""
    assert Pseudonyms(KEY).of("user", "\ud800%FF").startswith("[REDACTED:user:h")
