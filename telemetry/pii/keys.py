"""Key rules as patterns of the keys that they hit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telemetry.pii.model import KeyRule

# Between the words of one name: snake, kebab and dotted spelling, or none in camel case.
_JOIN = "[._-]?"
# Letters whose cases all engines fold alike: k and s have relatives elsewhere in Unicode (the Kelvin sign, the long s).
_RUN = re.compile("[^ks]+|[ks]+")
_SHORTEST_FOLDED = 3


@dataclass(frozen=True, slots=True)
class Around:
    """What may stand around the words that count, wherever keys are looked for.

    Attributes:
        anything: words that do not count.
        end: where those end.
        number: what may follow: password2, email.0, phones[1], user[password].
    """

    anything: str
    end: str
    number: str


_KEY = Around("(?s:.*)", "[^A-Za-z0-9]", r"\]?(?:[._-]?[0-9]{1,3}|\[[0-9]{0,3}\])?")
MEMBER = Around("[A-Za-z0-9_./-]*", _KEY.end, _KEY.number)
PAIR = Around(
    r"(?:[A-Za-z0-9_./\[\]-]|%5[BbDd])*",
    "(?:[^A-Za-z0-9=]|%5[Bb])",
    r"(?:\]|%5[Dd])?(?:[._-]?[0-9]{1,3}|(?:\[|%5[Bb])[0-9]{0,3}(?:\]|%5[Dd]))?",
)


def key_pattern(rules: Iterable[KeyRule]) -> str:
    """Give the pattern of all keys that the rules hit; read alike by RE2 and Go, and matched against the whole key."""
    return f"^(?:{'|'.join(spellings(rule, _KEY) for rule in rules)})$"


def spellings(rule: KeyRule, around: Around) -> str:
    """Give the pattern of the keys that a rule hits.

    Args:
        rule: its words decide.
        around: what may stand around them.
    """
    if rule.place == "whole":
        return "|".join(escaped(word) for word in rule.words)
    if rule.place == "below":
        return f"(?:{'|'.join(escaped(word) for word in rule.words)})(?:[.\\[]{around.anything})?"
    if rule.place == "owned":
        alone = "|".join(_any_case(word) for word in rule.words)
        return f"(?:(?:{_last(rule.owners, around)}){_JOIN})?(?:{alone}){around.number}"
    return f"(?:{_last(rule.words, around)}){around.number}"


def _last(names: tuple[str, ...], around: Around) -> str:
    """Give the pattern of whatever ends with one of these names."""
    alone = "|".join(_any_case(name) for name in names)
    # In camel case a word begins at a capital: after a small letter or a digit, or as the last of a run of capitals.
    camel = "|".join(name[0].upper() + _any_case(name[1:]) for name in names)
    after_capitals = "|".join(name[0].upper() + _small_first(name[1:]) for name in names)
    anything = around.anything
    return f"(?:{anything}{around.end})?(?:{alone})|{anything}[a-z0-9](?:{camel})|{anything}[A-Z](?:{after_capitals})"


def _small_first(words: str) -> str:
    first, *rest = words.split(" ")
    return first + "".join(_JOIN + _any_case(word) for word in rest)


def _any_case(words: str) -> str:
    return _JOIN.join(_RUN.sub(_folded, word) for word in words.split(" "))


def _folded(run: re.Match[str]) -> str:
    letters = run[0]
    if len(letters) < _SHORTEST_FOLDED or not letters.isalpha():
        return "".join(map(_either_case, letters))
    return f"(?i:{letters})"


def _either_case(letter: str) -> str:
    return f"[{letter.upper()}{letter.lower()}]" if letter.isalpha() else escaped(letter)


def escaped(text: str) -> str:
    """Give the pattern of a text."""
    return re.sub(r"([.^$*+?()\[\]{}|\\-])", r"\\\1", text)
