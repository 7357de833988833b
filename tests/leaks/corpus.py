"""What must not leave: the policy's own examples, and people who do not exist in fourteen languages.

Deterministic: the same seed gives the same texts. Two families. What has a form is found wherever it stands; what has
none (names, addresses, birth dates, prose) must be kept away by where it stands.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from faker import Faker

from telemetry.pii import Scrubber, read_policy
from tests.leaks.containers import CONTAINERS
from tests.leaks.sensitive import SENSITIVE

LOCALES = (
    "en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR", "sv_SE", "cs_CZ", "tr_TR", "ja_JP",
    "uk_UA",
)  # fmt: skip
# A word of letters only may well be said by somebody who knows nothing.
_SHORTEST_WORD, _SHORTEST = 9, 5
_PHRASE_WORDS, _SHORTEST_PHRASE = 4, 14


@dataclass(frozen=True, slots=True)
class Planted:
    """A text that is put somewhere, and what of it must not be found anywhere.

    Attributes:
        kind: what it holds.
        text: what is planted.
        markers: what is looked for.
    """

    kind: str
    text: str
    markers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """What has no form: where it stands says what it is."""

    first_name: str
    full_name: str
    address: str
    date_of_birth: str
    phone: str
    cv_content: str
    cover_letter: str

    @property
    def markers(self) -> tuple[str, ...]:
        """What is looked for: the letter's prose by its phrases."""
        short = (self.first_name, self.full_name, self.date_of_birth, *self.address.split("\n"))
        sure = tuple(text for text in short if len(text) >= _SHORTEST_WORD)
        return (*sure, *phrases(self.cv_content), *phrases(self.cover_letter))


def phrases(prose: str) -> tuple[str, ...]:
    """Give a prose's phrases, each four words long: enough of a letter to know it by."""
    words = prose.split(" ")
    found = [" ".join(words[at : at + _PHRASE_WORDS]) for at in range(0, len(words), _PHRASE_WORDS)]
    return tuple(phrase for phrase in found if len(phrase) >= _SHORTEST_PHRASE)


@cache
def examples() -> tuple[Planted, ...]:
    """Give every example of every value rule, with what its rule calls sensitive in it."""
    planted = []
    for rule in Scrubber(read_policy()).compiled.rules:
        for text in rule.rule.examples:
            told = text.encode()
            found = [told[start:end].decode() for start, end in rule.spans(told, len(told))]
            planted.append(Planted(rule.rule.name, text, tuple(marker for marker in found if _is_sure(marker))))
    return tuple(planted)


def _is_sure(marker: str) -> bool:
    return len(marker) >= (_SHORTEST_WORD if marker.isalpha() else _SHORTEST)


class Corpus:
    """Texts without end, made of one seed.

    Args:
        seed: the same one gives the same texts.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._fakers = [Faker(locale) for locale in LOCALES]
        for number, faker in enumerate(self._fakers):
            faker.seed_instance(seed * 1000 + number)

    def people(self, count: int) -> list[Person]:
        """Give people, a locale each in turn."""
        return [self._person(self._fakers[number % len(LOCALES)]) for number in range(count)]

    def _person(self, faker: Faker) -> Person:
        return Person(
            first_name=f"{faker.first_name()}-{faker.first_name()}-{faker.last_name()}",
            full_name=f"{faker.name()} {faker.last_name()}",
            address=faker.address(),
            date_of_birth=faker.date_of_birth(minimum_age=18).strftime("%d %B %Y"),
            phone=faker.phone_number(),
            cv_content=faker.paragraph(nb_sentences=4),
            cover_letter=faker.paragraph(nb_sentences=4),
        )

    def planted(self, count: int) -> Iterator[Planted]:
        """Give texts of every kind in every container, in turn."""
        kinds, containers = tuple(SENSITIVE.items()), tuple(CONTAINERS.items())
        for number in range(count):
            kind, make = kinds[number % len(kinds)]
            # Not a multiple of the number of kinds: every kind comes to every container.
            container, fill = containers[(number // len(kinds) + number) % len(containers)]
            faker = self._fakers[self._random.randrange(len(LOCALES))]
            said, *markers = make(faker, self._random)
            yield Planted(f"{kind} in {container}", fill(said), tuple(markers or [said]))

    def bare(self, count: int) -> Iterator[Planted]:
        """Give texts of every kind in turn, alone."""
        kinds = tuple(SENSITIVE.items())
        for number in range(count):
            kind, make = kinds[number % len(kinds)]
            said, *markers = make(self._fakers[number % len(LOCALES)], self._random)
            yield Planted(kind, said, tuple(markers or [said]))
