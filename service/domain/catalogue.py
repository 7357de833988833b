"""2,000 postings that are the same on every machine, in every version of Python.

Each is read off a SHA-256 digest, because the order in which `random` draws is not promised to stay.
"""

import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

SIZE = 2000
SEED = 1
NEWEST = datetime(2026, 11, 2, 9, tzinfo=UTC)
SEPARATOR = "\x1f"
"""Between the searched fields: a control character, which no query can hold."""

_LEVELS = ("Junior", "Mid-level", "Senior", "Staff", "Principal", "Lead")
_ROLES = (
    "Backend Engineer", "Frontend Engineer", "Data Engineer", "Data Scientist", "Platform Engineer",
    "Site Reliability Engineer", "Security Engineer", "Machine Learning Engineer", "Mobile Developer",
    "QA Engineer", "Product Manager", "Product Designer", "UX Researcher", "Technical Writer",
    "Solutions Architect", "Database Administrator", "Engineering Manager", "Support Engineer",
)  # fmt: skip
_FIRST_NAMES = (
    "Alder", "Birch", "Cobalt", "Delta", "Ember", "Fjord", "Granite", "Harbour", "Indigo", "Juniper",
    "Kestrel", "Lumen", "Meridian", "Northwind", "Orchard", "Pólya", "Quarry", "Río", "Saffron", "Tern",
)  # fmt: skip
_LAST_NAMES = (
    "Analytics",
    "Energy",
    "Foods",
    "Health",
    "Labs",
    "Logistics",
    "Mobility",
    "Robotics",
    "Systems",
)
_LOCATIONS = (
    ("Amsterdam", "EUR"), ("Austin", "USD"), ("Berlin", "EUR"), ("Boston", "USD"), ("Bristol", "GBP"),
    ("Chicago", "USD"), ("Denver", "USD"), ("Dublin", "EUR"), ("Edinburgh", "GBP"), ("Kraków", "EUR"),
    ("Lisbon", "EUR"), ("London", "GBP"), ("Lyon", "EUR"), ("Madrid", "EUR"), ("München", "EUR"),
    ("New York", "USD"), ("Paris", "EUR"), ("São Paulo", "USD"), ("Seattle", "USD"), ("Zürich", "EUR"),
)  # fmt: skip
_TYPES = ("full-time", "full-time", "full-time", "part-time", "contract", "internship")
_TEAMS = ("a team of four", "a team of seven", "a newly founded team", "a team spread over three time zones")
_AIMS = (
    "make releases boring", "halve the time to first byte", "retire a monolith piece by piece",
    "give every customer a clear answer", "turn raw events into decisions", "keep what matters running",
)  # fmt: skip
_OFFERS = ("four weeks of leave", "a learning budget", "a day a week of focus time", "hybrid work")


@dataclass(frozen=True, slots=True)
class Posting:
    """One job: salaries are a year's, in whole units of `currency`."""

    id: str
    title: str
    company: str
    location: str
    employment_type: str
    remote: bool
    salary_min: int
    salary_max: int
    currency: str
    description: str
    posted_at: datetime

    def row(self) -> dict[str, Any]:
        """The posting with what a query is looked for in."""
        searched = SEPARATOR.join((self.title, self.company, self.location))
        return {each.name: getattr(self, each.name) for each in fields(self)} | {"search": folded(searched)}


def folded(text: str) -> str:
    """`text` as it is compared: by letters, not by case or by how an accent is encoded."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def catalogue(seed: int = SEED, size: int = SIZE) -> Iterator[Posting]:
    """The postings, newest first; several share an instant."""
    for number in range(size):
        digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
        draw = iter(digest[8:])
        role = f"{_LEVELS[next(draw) % len(_LEVELS)]} {_ROLES[next(draw) % len(_ROLES)]}"
        company = f"{_FIRST_NAMES[next(draw) % len(_FIRST_NAMES)]} {_LAST_NAMES[next(draw) % len(_LAST_NAMES)]}"
        city, currency = _LOCATIONS[next(draw) % len(_LOCATIONS)]
        salary = 30_000 + 1_000 * (next(draw) % 90)
        yield Posting(
            id=f"job_{digest[:8].hex()}",
            title=role,
            company=company,
            location=city,
            employment_type=_TYPES[next(draw) % len(_TYPES)],
            remote=next(draw) % 3 == 0,
            salary_min=salary,
            salary_max=salary + 5_000 + 1_000 * (next(draw) % 30),
            currency=currency,
            description=(
                f"{company} looks for a {role} in {city}. You join {_TEAMS[next(draw) % len(_TEAMS)]} "
                f"to {_AIMS[next(draw) % len(_AIMS)]}. We offer {_OFFERS[next(draw) % len(_OFFERS)]}."
            ),
            posted_at=NEWEST - timedelta(hours=number // 3),
        )
