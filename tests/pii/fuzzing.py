"""`make fuzz`: the fast path equals the reference, and scrubbing twice equals scrubbing once, on strings nobody wrote.

Half of the strings are two to four examples of any rules glued together without a separator; the others are examples
and words with separators. A part of both is mutated: characters go, come, change, are percent-encoded or escaped.
"""

from __future__ import annotations

import argparse
import random
import string
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from telemetry.pii import Scrubber, read_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SEPARATORS = [
    " ",
    ", ",
    "=",
    ":",
    "&",
    "?",
    "/",
    "\n",
    '"',
    "'",
    "|",
    "-",
    "_",
    ".",
    "@",
    "+",
    "%20",
    "\\n",
    "[",
    "]",
    "\0",
]
_WORDS = [
    "password", "token=", "Authorization: ", "Bearer ", "Cookie: a=", "phone ", "card ", "://", "user", "@", "::", "id",
    "[REDACTED:email]", "[REDACTED:", "h0123456789abcdef]", "[REDACTED:ip:h0123456789abcdef]", "-----BEGIN", "-----",
    "é", "api_key", '{"', '":"', '\\"', "&email=", "?name=", "%3D", "%40", "%25", "+49", "4111", "0", "192.168.",
    "\ud800",
]  # fmt: skip
_CHARACTERS = string.ascii_letters + string.digits + string.punctuation + " \t\n\r\0é\u212a\u017f"


@dataclass(frozen=True, slots=True)
class Difference:
    """A string on which the scrubber contradicts itself.

    Attributes:
        text: the string.
        law: what it breaks.
        first: what it gave.
        second: what it should have given.
    """

    text: str
    law: str
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.law}\n  text   {self.text!r}\n  first  {self.first!r}\n  second {self.second!r}"


def strings(scrubber: Scrubber, seed: int) -> Iterator[str]:
    """Gives strings without end; the same seed, the same strings."""
    dice = random.Random(seed)
    examples = [example for rule in scrubber.compiled.data for example in (*rule.examples, *rule.innocent)]
    while True:
        yield _mutated(dice, "".join(dice.choice(examples) for _ in range(dice.randint(2, 4))))
        pieces = [dice.choice(dice.choice((examples, examples, _WORDS))) for _ in range(dice.randint(1, 6))]
        yield _mutated(dice, "".join(piece + dice.choice(_SEPARATORS) for piece in pieces))


def _mutated(dice: random.Random, text: str) -> str:
    while dice.random() < 0.4:
        place = dice.randrange(len(text) + 1)
        other = dice.randrange(len(text) + 1)
        mutate = dice.choice(_MUTATIONS)
        text = mutate(dice, text, min(place, other), max(place, other))
    return text


def _replaced(dice: random.Random, text: str, start: int, _end: int) -> str:
    return text[:start] + dice.choice(_CHARACTERS) + text[start + 1 :]


def _inserted(dice: random.Random, text: str, start: int, _end: int) -> str:
    return text[:start] + dice.choice((dice.choice(_CHARACTERS), dice.choice(_WORDS))) + text[start:]


def _cut(_dice: random.Random, text: str, start: int, end: int) -> str:
    return text[:start] + text[end:] if end - start < len(text) // 2 else text


def _encoded(dice: random.Random, text: str, start: int, end: int) -> str:
    how = dice.choice((_percent, _plus, repr, str.upper, str.lower, _escaped))
    return text[:start] + how(text[start:end]) + text[end:]


def _percent(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _plus(text: str) -> str:
    return quote_plus(text, errors="replace")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


_MUTATIONS: tuple[Callable[[random.Random, str, int, int], str], ...] = (_replaced, _inserted, _cut, _encoded)


def difference(scrubber: Scrubber, text: str) -> Difference | None:
    """Gives how the scrubber contradicts itself on a text, if it does."""
    for key in ("", "server.address"):
        once = scrubber.text(text, key)
        if once != (reference := scrubber.reference(text, key)):
            return Difference(text, "the fast path gives what the reference gives", once, reference)
    once = scrubber.text(text)
    if once != (twice := scrubber.text(once)):
        return Difference(text, "scrubbing twice gives what scrubbing once gives", twice, once)
    return None


def main(arguments: list[str]) -> int:
    """Fuzz, say how far it is, and give 1 at a difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.pii.fuzzing", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="strings")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep-going", action="store_true", help="say every difference, not only the first")
    asked = parser.parse_args(arguments)
    plain, keyed = Scrubber(read_policy()), Scrubber(read_policy(), b"fuzz")
    started, found = time.monotonic(), 0
    for number, text in zip(range(1, asked.count + 1), strings(plain, asked.seed), strict=False):
        wrong = difference(keyed if number % 3 == 0 else plain, text)
        if wrong is not None:
            found += 1
            sys.stdout.write(f"string {number}: {wrong}\n")
            if not asked.keep_going:
                return 1
        if number % 50_000 == 0:
            sys.stdout.write(f"{number} strings, {found} differences, {time.monotonic() - started:.0f} s\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
