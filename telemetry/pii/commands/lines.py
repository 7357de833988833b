"""Lines of a stream, as they come: of bounded length, and the lines of one private key together."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_LINE = 8 << 20
_UNREADABLE = b"\0"
# No key in PEM is longer; without bounds one that was cut off would hold the stream.
_MAX_KEY_LINES = 400
_MAX_KEY_BYTES = 65_536
_KEY_BEGINS, _KEY_ENDS = b"-----BEGIN", b"-----END"
_JSON_BEGINS = (b"{", b"[", b'"')
_MARK = b"\xef\xbb\xbf"


def lines_of(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Give number and bytes of each line, with its end; a NUL in place of one that is too long to be held.

    Args:
        source: read as it comes.
    """
    number = 0
    while line := source.readline(_MAX_LINE):
        number += 1
        if number == 1:
            line = line.removeprefix(_MARK)
        rest = line
        while len(rest) == _MAX_LINE and not rest.endswith(b"\n"):
            rest = source.readline(_MAX_LINE)
            line = _UNREADABLE + (b"\n" if rest.endswith(b"\n") else b"")
        if line:
            yield number, line


def with_keys_whole(lines: Iterator[tuple[int, bytes]], *, among_json: bool) -> Iterator[tuple[int, bytes]]:
    """Give the lines; those of a private key in PEM, one secret, as one.

    Args:
        lines: number and bytes.
        among_json: in a line of JSON a key has its end, or none at all.
    """
    for number, line in lines:
        whole = line
        if not (among_json and line.lstrip().startswith(_JSON_BEGINS)):
            start, count = line.rfind(_KEY_BEGINS), 1
            while start >= 0 and whole.find(_KEY_ENDS, start) < 0 and count < _MAX_KEY_LINES:
                _, following = next(lines, (0, b""))
                if not following or len(whole) > _MAX_KEY_BYTES:
                    whole += following
                    break
                whole, count = whole + following, count + 1
        yield number, whole
