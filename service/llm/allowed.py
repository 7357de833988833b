"""Values that the caller may be told, since they stand in what is the caller's own or in the advert."""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from urllib.parse import unquote

from service.llm.personal import Found, Personal
from service.llm.reading import Reading

_NUMBERS = frozenset({"credit_card", "phone", "us_ssn"})
# Digits and the little that stands between the groups of one number.
_NUMBER = re.compile(r"[0-9]+(?:[^0-9A-Za-z\r\n]{1,3}[0-9]+)*")
_DIGITS = re.compile(r"[0-9]+")
_MAX_GROUPS, _MAX_DIGITS = 10, 24


class Allowed:
    """The values in some texts, however they are written: e-mails in any case, numbers with any signs between.

    Args:
        personal: finds them.
        texts: whose values they are; looked at when something has been found that may be one.
    """

    def __init__(self, personal: Personal, texts: Sequence[str]) -> None:
        self._personal = personal
        self._texts = tuple(texts)

    def __contains__(self, found: Found) -> bool:
        """Say whether a value is one of them, as a whole; part of one is not."""
        return _normal(found) in (self._numbers if found.rule.rule.kind in _NUMBERS else self._values)

    @cached_property
    def _forms(self) -> frozenset[str]:
        """Give the texts as they are written and as they read."""
        texts = [text.encode("utf-8", "replace").decode() for text in self._texts]
        return frozenset([*texts, *(Reading.of(text)[0] for text in texts)])

    @cached_property
    def _values(self) -> frozenset[str]:
        return frozenset(_normal(found) for text in self._forms for found in self._personal.find(text))

    @cached_property
    def _numbers(self) -> frozenset[str]:
        # What is a number in a sentence ("Tel. 0246-28 19 48") need not be known for one in a field.
        return frozenset(number for text in self._forms for number in _numbers(text))


def _normal(found: Found) -> str:
    kind, value = found.rule.rule.kind, found.value
    if kind == "email":
        # Marks of emphasis may stand in an address, and around one.
        return unquote(value).casefold().strip("_*~")
    if kind in _NUMBERS:
        return "".join(_DIGITS.findall(unquote(value)))
    if kind == "iban":
        return re.sub(r"[^0-9A-Z]", "", unquote(value).upper())
    return value


def _numbers(text: str) -> Iterator[str]:
    """Give every run of groups of digits that may be one number: two may stand side by side."""
    for match in _NUMBER.finditer(text):
        groups = _DIGITS.findall(match[0])
        for first in range(len(groups)):
            number = ""
            for group in groups[first : first + _MAX_GROUPS]:
                number += group
                if len(number) > _MAX_DIGITS:
                    break
                yield number
