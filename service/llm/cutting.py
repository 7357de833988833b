"""Where a text may be cut: no value of the policy's rules goes on across.

Between words, as a rule. But numbers are written with blanks (`+49 30 1234567`), bank accounts with blanks and letters
(`GB29 NWBK 6016 …`), and passwords in quotes and armoured keys with any.
"""

import re
from collections.abc import Iterable

from service.llm.personal import Personal

LIMIT = 256
"""The most that is held of a text (characters); a value that is longer is known by this much of it."""
CONTEXT = 96
"""How far back a rule looks for what names a value, such as `phone` or `password:` (characters)."""

_GAP = " \u00a0\u202f"
_DASHES = "\u2011\u2013-"
# Scripts without blanks: Thai, Lao, Burmese, Khmer, Chinese, Japanese. None of their letters is in a value.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff60"
# Behind a part of a number, or the word for an extension, a blank may stand and then more of the number: the next
# character tells. Begins with a class, which the engine looks for fast.
_CUT = re.compile(
    rf"[\s{_UNSPACED}](?:(?<=[^{_GAP}])"
    rf"|(?<![0-9][{_GAP}])(?<![0-9][)/+{_DASHES}][{_GAP}])(?<![0-9][{_GAP}]/[{_GAP}])"
    rf"(?<![Ee]xt[{_GAP}])(?<![Ee]xt\.[{_GAP}])"
    rf"|(?![0-9()/+xEe{_DASHES}]|\Z))"
)
_BANK_ACCOUNT = re.compile(
    rf"(?:^|[^A-Za-z0-9.-])[A-Za-z]{{2}}[0-9]{{2}}(?:[{_GAP}+.{_DASHES}]?[A-Za-z0-9]{{4}}){{0,7}}[{_GAP}]?\Z"
)
_ACCOUNT_BEGINS = re.compile(r"[A-Za-z]{2}[0-9]{2}")
# Of a value that is named and may hold blanks; and of one that may hold letters of every script.
_QUOTED = re.compile(r"=|(?<![^\W\d_])[\"']")
_NAMED = re.compile(r"[=:\"']")
# What a value might go on with: if that would be part of one that has begun, it has begun.
_ENDS = ("xxxx'", 'xxxx"', 'a="x"')
_ARMOUR_ENDS = (
    "PRIVATE KEY-----", "KEY-----", "BEGIN SSH2 PRIVATE KEY ----", "SSH2 PRIVATE KEY ----", "PRIVATE KEY ----",
    "KEY ----", "----", "1\nxxxx", "xxxx", "\nxxxx",
)  # fmt: skip


class Cutter:
    """Cuts texts.

    Args:
        personal: the rules.
    """

    def __init__(self, personal: Personal) -> None:
        self._personal = personal
        words = {
            literal.split()[0]
            for rule in personal.rules
            if rule.rule.kind == "private_key"
            for literal in rule.rule.literals
        }
        self._armour = re.compile("|".join(map(re.escape, sorted(words))) or r"(?!)")

    def cuts(self, text: str, start: int, looked: int = 0) -> list[int]:
        """Give the places where a text may be cut, in order; more text behind it changes none of them.

        Args:
            text: with what stood before, for the rules that look back.
            start: where the part begins that has not been cut yet; `LIMIT` characters from there are looked at.
            looked: how many of them have been already, in vain.
        """
        places = []
        for match in _CUT.finditer(text, start + looked, start + LIMIT + 1):
            place = match.end()
            if place - start <= LIMIT and not self._goes_on(text, start, place):
                places.append(place)
                start = place
        return places

    def _goes_on(self, text: str, start: int, end: int) -> bool:
        """Say whether a value may go on behind what looks like the end of a word."""
        part = text[start:end]
        if not part[-1].isspace():
            named = _NAMED.search(text, max(0, end - CONTEXT), end)
            return named is not None or self._armour.search(part) is not None
        if _ACCOUNT_BEGINS.search(part) and _BANK_ACCOUNT.search(part):
            return True
        return (_QUOTED.search(part) is not None and self._is_inside(text, start, end, _ENDS)) or (
            self._armour.search(part) is not None and self._is_inside(text, start, end, _ARMOUR_ENDS)
        )

    def _is_inside(self, text: str, start: int, end: int, tails: Iterable[str]) -> bool:
        window = text[max(0, start - CONTEXT) : end]
        edge = len(window)
        return any(found.start < edge < found.end for tail in tails for found in self._personal.find(window + tail))
