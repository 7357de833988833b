"""What has a form, made up anew each time: addresses, numbers, keys and tokens as their issuers write them."""

import base64
import json
import random
import string
from collections.abc import Callable

from faker import Faker

_LETTERS = string.ascii_letters + string.digits
_BASE64URL = f"{_LETTERS}-_"
_GROUPED_CARD, _KNOWN_CARDS, _KNOWN_ISSUERS, _HALF = 16, (14, 15, 16), "23456", 0.5
# Letters and digits after the check digits (SWIFT IBAN registry).
_IBANS = {
    "DE": "n" * 18, "FR": "n" * 23, "ES": "n" * 20, "PL": "n" * 24, "AT": "n" * 16, "BE": "n" * 12, "SE": "n" * 20,
    "GB": "aaaa" + "n" * 14, "NL": "aaaa" + "n" * 10, "IT": "a" + "n" * 22, "NO": "n" * 11,
}  # fmt: skip

Made = tuple[str, ...]
"""What is said, and what of it must not be found if that is not all of it."""


def _of(letters: str, count: int, rng: random.Random) -> str:
    return "".join(rng.choices(letters, k=count))


def _issued(prefix: str, letters: str, count: int) -> Callable[[Faker, random.Random], Made]:
    def make(_faker: Faker, rng: random.Random) -> Made:
        secret = _of(letters, count, rng)
        return f"{prefix}{secret}", f"{prefix}{secret}", secret[: count // 2], secret[count // 2 :]

    return make


def _email(faker: Faker, rng: random.Random) -> Made:
    local = f"{faker.user_name()}.{_of(string.ascii_lowercase, 4, rng)}{rng.randrange(1000, 9999)}"
    return f"{local}@{faker.domain_name()}", local


def _card(faker: Faker, rng: random.Random) -> Made:
    number = faker.credit_card_number()
    if len(number) == _GROUPED_CARD and number[0] in _KNOWN_ISSUERS and rng.random() < _HALF:
        return rng.choice(" -").join(number[at : at + 4] for at in range(0, _GROUPED_CARD, 4)), number
    # Other lengths and prefixes have the form of any number: it takes a word to know them.
    known = len(number) in _KNOWN_CARDS and number[0] in _KNOWN_ISSUERS
    return number if known else f"card {number}", number


def _iban(_faker: Faker, rng: random.Random) -> Made:
    country, layout = rng.choice(tuple(_IBANS.items()))
    rest = "".join(_of(string.ascii_uppercase if form == "a" else string.digits, 1, rng) for form in layout)
    plain = f"{country}{rng.randrange(10, 98)}{rest}"
    grouped = " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))
    return rng.choice((plain, grouped, plain.lower())), plain, rest


def _ssn(_faker: Faker, rng: random.Random) -> Made:
    return (f"{rng.randrange(100, 600)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}",)


def _phone(_faker: Faker, rng: random.Random) -> Made:
    country = rng.choice(("1", "44", "49", "33", "34", "39", "31", "48", "55", "46", "420", "90", "81", "380"))
    area, number = _of("23456789", 3, rng), _of("23456789", 7, rng)
    gap = rng.choice(("", " ", "-", "."))
    return f"+{country}{gap}{area}{gap}{number[:3]}{gap}{number[3:]}", f"{country}{area}{number}"


def _ipv4(faker: Faker, rng: random.Random) -> Made:
    return (f"{rng.randrange(101, 224)}.{rng.randrange(100, 255)}.{rng.randrange(100, 255)}.{rng.randrange(100, 255)}",)


def _ipv6(faker: Faker, _rng: random.Random) -> Made:
    return (faker.ipv6(),)


def _jwt(_faker: Faker, rng: random.Random) -> Made:
    def part(content: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    claims, signature = part({"sub": _of(_LETTERS, 12, rng)}), _of(_BASE64URL, 43, rng)
    token = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{claims}.{signature}"
    return token, token, claims, signature[:20], signature[20:]


def _armoured(label: str) -> Callable[[Faker, random.Random], Made]:
    def make(_faker: Faker, rng: random.Random) -> Made:
        lines = [_of(_LETTERS, 64, rng) for _ in range(3)]
        text = "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"))
        return text, *lines

    return make


def _bearer(_faker: Faker, rng: random.Random) -> Made:
    token = f"{_of(_LETTERS, 20, rng)}{rng.randrange(10)}"
    return f"Bearer {token}", token


def _basic(faker: Faker, rng: random.Random) -> Made:
    token = base64.b64encode(f"{faker.user_name()}:{_of(_LETTERS, 12, rng)}7".encode()).decode()
    return f"Authorization: Basic {token}", token


def _password(_faker: Faker, rng: random.Random) -> Made:
    password = f"{_of(_LETTERS, 10, rng)}{rng.randrange(10)}"
    return f"{rng.choice(('password', 'db_password', 'client_secret', 'api_key'))}={password}", password


def _url_password(faker: Faker, rng: random.Random) -> Made:
    password = _of(_LETTERS, 12, rng)
    return f"postgresql://{faker.user_name()}:{password}@db.internal:5432/jobs", password


SENSITIVE: dict[str, Callable[[Faker, random.Random], Made]] = {
    "email": _email,
    "card": _card,
    "iban": _iban,
    "ssn": _ssn,
    "phone": _phone,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "jwt": _jwt,
    "pem": _armoured("RSA PRIVATE KEY"),
    "pgp": _armoured("PGP PRIVATE KEY BLOCK"),
    "bearer": _bearer,
    "basic": _basic,
    "password": _password,
    "url password": _url_password,
    "aws": _issued("AKIA", string.ascii_uppercase + string.digits, 16),
    "bedrock": _issued("ABSK", _LETTERS, 60),
    "github": _issued("ghp_", _LETTERS, 36),
    "gitlab": _issued("glpat-", _LETTERS, 20),
    "slack": _issued("xoxb-", _LETTERS, 40),
    "slack webhook": _issued("https://hooks.slack.com/services/T00000000/B00000000/", _LETTERS, 24),
    "stripe": _issued("sk_live_", _LETTERS, 24),
    "sendgrid": _issued(f"SG.{'a1' * 11}.", _LETTERS, 43),
    "npm": _issued("npm_", _LETTERS, 36),
    "pypi": _issued("pypi-AgEIcHlwaS5vcmc", _LETTERS, 60),
    "hugging face": _issued("hf_", _LETTERS, 34),
    "google": _issued("AIza", _LETTERS, 35),
    "openai": _issued("sk-proj-", _LETTERS, 48),
    "anthropic": _issued("sk-ant-api03-", _LETTERS, 80),
}
