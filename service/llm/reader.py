"""A text as it reads, whatever it is written with: `ann&commat;exam&shy;ple&#46;com` reads `ann@example.com`.

The one normal form in which values are looked for, in what a model says and in what it is told:

- compatibility forms (NFKC), character by character;
- without characters that cannot be seen, marks above and below letters, and control sequences;
- every hyphen and dash is `-`, every blank a blank, a decimal digit of any script is 0 to 9;
- HTML's references are what they stand for, with or without `;`, encoded up to three times.
"""

import re
import unicodedata
from html import unescape
from html.entities import html5

from service.llm.visible import INVISIBLE, LINE_ENDS

Pair = tuple[str, str]
"""What is written, and how it reads: both the same, of any length, or one unit that reads otherwise, perhaps empty."""

MAX_REFERENCE = 80
"""So much of what may be an HTML reference or a control sequence is waited for (characters)."""
_MAX_ENCODED = 3
_BLOCK = 128

# Letters from here on are in no value, and marks of their scripts stay on them.
_FOREIGN = "\u0530"
_PLAIN_ASCII = re.compile("[^&\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
_BEGINS = re.compile("[&\x1b\x9b]")
_CONTROL = re.compile("(?:\x1b\\[|\x9b)[0-?]*[ -/]*(?P<end>[@-~])?")
_REFERENCE = re.compile("&(?:#[xX][0-9A-Fa-f]+|#[0-9]+|[A-Za-z][A-Za-z0-9]*)(?P<end>;)?")
_REFERENCE_BEGINS = re.compile("&(?:#(?:[xX][0-9A-Fa-f]*|[0-9]*)|[A-Za-z][A-Za-z0-9]*)?")
_LONGEST_NAME = max(map(len, html5))
_HYPHENS = frozenset("\u02d7\u2043\u2212")
_REMEMBERED = 4096


class _Characters(dict[int, str]):
    """How single characters read, for `str.translate`: worked out when they first come."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        read = self[code] = "".join(map(_plain, unicodedata.normalize("NFKC", chr(code))))
        return read


_CHARACTERS = _Characters()


def _plain(char: str) -> str:
    if LINE_ENDS.match(char):
        return char if char == "\r" else "\n"
    if INVISIBLE.match(char):
        return ""
    match unicodedata.category(char):
        case "Nd":
            return str(unicodedata.decimal(char))
        case "Mn" | "Me" | "Mc":
            return char if _is_own_mark(char) else ""
        case "Zs":
            return " "
        case category:
            return "-" if category == "Pd" or char in _HYPHENS else char


def _is_own_mark(char: str) -> bool:
    """Say whether it is a mark of one script's letters."""
    return _MARK.match(char) is not None


def _marks() -> str:
    # Those of no script of their own are not among them: U+1AB0 to 1AFF, 1DC0 to 1DFF, 20D0 to 20FF, FE20 to FE2F.
    blocks = (range(0x0530, 0x1AB0), range(0x1B00, 0x1DC0), range(0x302A, 0x309B), range(0xA800, 0xABF0))
    codes = [code for block in blocks for code in block if unicodedata.category(chr(code)).startswith("M")]
    return "".join(char for char in map(chr, codes) if not INVISIBLE.match(char))


_MARK = re.compile(f"[{_marks()}]")
_MARK_ON_OTHERS = re.compile(f"(?:^|[^{_FOREIGN}-\U0010ffff]){_MARK.pattern}")


class Reader:
    """Reads a text that comes in pieces; however it is divided, it reads the same."""

    __slots__ = ("_base", "_pending")

    def __init__(self) -> None:
        self._pending = ""
        self._base = ""

    def passes(self, piece: str) -> bool:
        """Read on, if a piece reads as it is written; else nothing is done."""
        if self._pending or not (_PLAIN_ASCII.fullmatch(piece) if piece.isascii() else _is_plain(piece)):
            return False
        self._base = piece[-1]
        return True

    def feed(self, piece: str) -> list[Pair]:
        """Read on.

        Args:
            piece: of any length, without lone surrogates.

        Returns:
            What is known by now: all but what may be an HTML reference or a control sequence, once that has ended.
        """
        if not self._pending and len(piece) <= _BLOCK:
            return [(piece, piece)] if self.passes(piece) else self._parsed(piece, at_end=False)
        text, self._pending = self._pending + piece, ""
        pairs = []
        for start in range(0, len(text), _BLOCK):
            block = self._pending + text[start : start + _BLOCK]
            self._pending = ""
            pairs += self.feed(block) if len(block) <= _BLOCK else self._parsed(block, at_end=False)
        return pairs

    def finish(self) -> list[Pair]:
        """Give the rest."""
        rest, self._pending = self._pending, ""
        return self._parsed(rest, at_end=True)

    def _parsed(self, text: str, *, at_end: bool) -> list[Pair]:
        pairs: list[Pair] = []
        place, length = 0, len(text)
        while place < length:
            char = text[place]
            pair: Pair | None
            if char in "&\x1b\x9b":
                ahead = text[place : place + MAX_REFERENCE]
                pair = (_reference if char == "&" else _control)(ahead, at_end=at_end or len(ahead) == MAX_REFERENCE)
                if pair is None:
                    self._pending = text[place:]
                    break
            else:
                read = _CHARACTERS[ord(char)]
                if char >= _FOREIGN > self._base and _is_own_mark(char):
                    read = ""
                pair = char, read
            pairs.append(pair)
            self._base = pair[1][-1:] or self._base
            place += len(pair[0])
        return pairs


def _is_plain(piece: str) -> bool:
    return (
        _BEGINS.search(piece) is None
        and piece.translate(_CHARACTERS) == piece
        and _MARK_ON_OTHERS.search(piece) is None
    )


def _control(text: str, *, at_end: bool) -> Pair | None:
    """Read what begins with ESC or CSI; None: more is needed."""
    found = _CONTROL.match(text)
    if found is None:
        return (text[0], "") if at_end or len(text) > 1 else None
    if found["end"]:
        return found[0], ""
    return (text[0], "") if at_end or found.end() < len(text) else None


def _reference(text: str, *, at_end: bool) -> Pair | None:
    """Read what begins with `&`; None: more is needed."""
    rest, used, read = text, 0, "&"
    for _ in range(_MAX_ENCODED):
        found = _REFERENCE.match(rest)
        if found is None or not found["end"]:
            begun = _REFERENCE_BEGINS.match(rest)
            if not at_end and begun is not None and begun.end() == len(rest):
                return None
        known = None if found is None else _decoded(found[0])
        if known is None:
            break
        read, length = known
        used += length - (used > 0)
        if read != "&":
            break
        rest = "&" + rest[length:]
    if used == 0:
        return "&", "&"
    return text[:used], read.translate(_CHARACTERS)


def _decoded(reference: str) -> tuple[str, int] | None:
    """Give what a reference stands for, and how much of the text is it; None: nothing."""
    if reference[1] == "#":
        return unescape(reference), len(reference)
    name = reference[1:]
    for length in range(min(len(name), _LONGEST_NAME), 1, -1):
        known = html5.get(name[:length].rstrip(";") + ";")
        if known is not None:
            return known, length + 1
    return None
