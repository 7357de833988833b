r"""The regular expressions that Python, RE2 and Go read alike, and nothing else.

Refused, each because the three were measured to differ or because it is never needed: `.`, `$`, `\s` and the other
class escapes, flags, look-around, back-references, lazy and possessive quantifiers, captures, `{,n}`, an unescaped
bracket inside a class, repeats that multiply beyond 1,000 (Go refuses them), repeats of what may be nothing, and
patterns that match nothing at all.
"""

from __future__ import annotations

import string
from functools import lru_cache
from typing import NoReturn

from telemetry.pii.model import PolicyError

_Size = tuple[int, int]
_MAX_REPEAT = 1000
_MAX_DEPTH = 100
_EXCERPT = 12
_ESCAPES = dict(zip("tnrfv", "\t\n\r\f\v", strict=True)) | {sign: sign for sign in string.punctuation}
_SPECIAL = set("()[]{}|*+?.^$\\")


@lru_cache(maxsize=512)  # the same policy is read again for each application in a process
def check(pattern: str) -> None:
    """Refuse a pattern that is outside the subset.

    Args:
        pattern: a regular expression.

    Raises:
        PolicyError: with the position in characters and the reason.
    """
    reader = _Reader(pattern)
    shortest, _ = reader.alternatives()
    if reader.position < len(pattern):
        reader.fail("a ) without its group")
    if shortest == 0:
        reader.position = 0
        reader.fail("it can match nothing, and would be everywhere")


class _Reader:
    """A recursive descent over one pattern.

    Each method gives the fewest characters that its part matches, and how far the repeats in it multiply.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0
        self._depth = 0

    def fail(self, reason: str) -> NoReturn:
        # Parts have been put in by now: a number alone would not lead to the place.
        here = self.pattern[self.position : self.position + _EXCERPT]
        raise PolicyError(f"position {self.position + 1}{f' at {here!r}' if here else ''}: {reason}")

    def _fail_at(self, position: int, reason: str) -> NoReturn:
        self.position = position
        self.fail(reason)

    def _peek(self) -> str:
        return self.pattern[self.position : self.position + 1]

    def _take(self, text: str) -> bool:
        if self.pattern.startswith(text, self.position):
            self.position += len(text)
            return True
        return False

    def alternatives(self) -> _Size:
        shortest, repeats = self._sequence()
        while self._take("|"):
            other = self._sequence()
            shortest, repeats = min(shortest, other[0]), max(repeats, other[1])
        return shortest, repeats

    def _sequence(self) -> _Size:
        shortest, repeats = 0, 1
        while self._peek() not in {"", "|", ")"}:
            item = self._item()
            shortest, repeats = shortest + item[0], max(repeats, item[1])
        return shortest, repeats

    def _item(self) -> _Size:
        shortest, repeats = self._atom()
        start = self.position
        low, high = self._quantifier()
        # (?:…)? may be. Loops over nothing are never needed, and Python refuses ^? and \b?.
        if self.position > start and shortest == 0 and self.pattern[start - 1 : start + 1] != ")?":
            self._fail_at(start, "a repeat of what may be nothing")
        if repeats * high > _MAX_REPEAT:
            self._fail_at(start, f"repeats multiply beyond {_MAX_REPEAT}")
        return shortest * low, repeats * high

    def _atom(self) -> _Size:
        if self._take("(?:"):
            return self._group()
        if self._take("^"):
            return 0, 1
        if self._take("["):
            return self._class(), 1
        if self._take("\\"):
            return self._escape(), 1
        if self._peek() in _SPECIAL:
            self.fail(self._why_not())
        self.position += 1
        return 1, 1

    def _why_not(self) -> str:
        rest = self.pattern[self.position :]
        if rest.startswith("(?"):
            return "only (?:…) groups"
        reasons = {
            "(": "a capturing group; what is kept is said by keep_before and keep_after",
            ".": "`.` differs between engines on line ends: say which characters",
            "$": "`$` differs between engines before a last line end",
        }
        return reasons.get(rest[0], f"an unexpected {rest[0]}")

    def _group(self) -> _Size:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self.fail(f"groups nested deeper than {_MAX_DEPTH}")
        size = self.alternatives()
        if not self._take(")"):
            self.fail("a group without its )")
        self._depth -= 1
        return size

    def _escape(self) -> int:
        if self._take("b"):
            return 0
        self._escaped()
        return 1

    def _escaped(self) -> str:
        """Read what follows a backslash, and give the character that it stands for."""
        start = self.position
        if self._take("x"):
            digits = self.pattern[self.position : self.position + 2]
            if len(digits) < 2 or not set(digits) <= set(string.hexdigits):  # noqa: PLR2004 - \x41
                self._fail_at(start - 1, "\\x wants two hex digits")
            self.position += 2
            return chr(int(digits, 16))
        char = self._peek()
        if not char or char not in _ESCAPES:
            self._fail_at(start - 1, f"\\{char} differs between engines: write the characters out")
        self.position += 1
        return _ESCAPES[char]

    def _class(self) -> int:
        self._take("^")
        if self._peek() == "]":
            self.fail("a class that begins with ]")
        while not self._take("]"):
            start = self.position
            low = self._member()
            if self._peek() == "-" and self.pattern[self.position + 1 : self.position + 2] != "]":
                self._refuse_operator()
                self.position += 1
                if self._member() < low:
                    self._fail_at(start, "a range whose end comes before its start")
        return 1

    def _member(self) -> str:
        char = self._peek()
        if not char:
            self.fail("a class without its ]")
        if char == "[":
            self.fail("an unescaped [ inside a class")
        self._refuse_operator()
        self.position += 1
        if char != "\\":
            return char
        if self._peek() == "b":
            self.fail("\\b inside a class")
        return self._escaped()

    def _refuse_operator(self) -> None:
        if self.pattern[self.position : self.position + 2] in {"--", "&&", "||", "~~"}:
            self.fail("a doubled operator inside a class, which Python will give a meaning")

    def _quantifier(self) -> tuple[int, int]:
        low, high = 1, 1
        if self._take("?") or self._take("*"):
            low = 0
        elif self._take("{"):
            low, high = self._bounds()
        elif not self._take("+"):
            return 1, 1
        if self._peek() in {"?", "+", "*", "{"}:
            self.fail("a second quantifier: lazy and possessive ones are outside the subset")
        return low, high

    def _bounds(self) -> tuple[int, int]:
        end = self.pattern.find("}", self.position)
        low, comma, high = self.pattern[self.position : max(end, self.position)].partition(",")
        if end < 0 or not low.isascii() or not low.isdigit() or (high and not (high.isascii() and high.isdigit())):
            self.fail("a repeat is {n}, {n,} or {n,m}")
        self.position = end + 1
        bounds = int(low), int(high or low)
        if comma and high and bounds[0] > bounds[1]:
            self.fail("a repeat whose lower bound is the greater one")
        return bounds
