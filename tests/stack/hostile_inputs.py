"""Requests that are made to hurt a collector, each of about a given size."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from dataclasses import dataclass

from tests.stack.raw import field, pair, text, varint

LIMIT = 4 << 20
# What the envelope around a request's content takes at most.
_ROOM = 64
_PIECE = 200_000
_NUMBER, _NAN = b"\x18\x01", b"\x21" + struct.pack("<d", float("nan"))
PROTOBUF, JSON = "application/x-protobuf", "application/json"


@dataclass(frozen=True, slots=True)
class Hostile:
    """A request.

    Attributes:
        body: as it is sent.
        signal: whose receiver it is sent to.
        kind: its content type.
        encoding: its content encoding; "": none is said.
        refused: whether it must be; None: whatever the collector says.
    """

    body: bytes
    signal: str = "traces"
    kind: str = PROTOBUF
    encoding: str = ""
    refused: bool | None = None


def _fill(unit: bytes, size: int) -> bytes:
    return unit * max(1, (size - _ROOM) // len(unit))


def _request(spans: bytes) -> bytes:
    return field(1, field(1, b"") + field(2, field(1, b"") + spans))


def _span(content: bytes) -> bytes:
    return _request(field(2, field(5, b"hostile") + content))


def _attribute(value: bytes, key: bytes = b"note") -> bytes:
    return field(9, pair(key, value))


def _chain(levels: int) -> bytes:
    """An array in an array and so on, each with a number beside it: flattened, their names are quadratic."""
    heads, length = [], len(_NUMBER)
    for _ in range(levels):
        # What holds bytes begins with their length: it is asked for without them.
        head = field(1, _NUMBER) + b"\x0a" + varint(length)
        heads.append(b"\x2a" + varint(len(head) + length) + head)
        length += len(heads[-1])
    return b"".join(reversed(heads)) + _NUMBER


def _chains(levels: int, size: int) -> bytes:
    one = _chain(levels)
    return b"".join(_attribute(one, b"n%d" % number) for number in range(max(1, (size - _ROOM) // (len(one) + 20))))


def _texts(unit: bytes, size: int) -> bytes:
    """Attributes that are as long as they may be to be looked at."""
    piece = (unit * (_PIECE // len(unit) + 1))[:_PIECE]
    count, rest = divmod(size - 1000, _PIECE + 20)
    return b"".join(
        _attribute(text(each), b"t%d" % number) for number, each in enumerate([*[piece] * count, piece[:rest]])
    )


def _numbered(size: int, value: bytes) -> bytes:
    one = len(_attribute(value, b"k000000"))
    return b"".join(_attribute(value, b"k%06d" % number) for number in range((size - _ROOM) // one))


def _pairs(size: int) -> bytes:
    value, one = text(b"a@b.co"), 20
    return b"".join(field(1, pair(b"%06d" % number, value)) for number in range((size - _ROOM) // one))


def _doubles(size: int) -> bytes:
    three = b"".join(
        field(1, b"\x21" + struct.pack("<d", number)) for number in (float("nan"), float("inf"), float("-inf"))
    )
    return _attribute(field(5, _fill(three, size)))


def _tiny(signal: str, wrap: Callable[[bytes], bytes], unit: bytes) -> Callable[[int], Hostile]:
    return lambda size: Hostile(wrap(_fill(unit, size)), signal)


def _sent(make: Callable[[int], bytes]) -> Callable[[int], Hostile]:
    return lambda size: Hostile(_span(make(size)))


REFUSED: dict[str, Callable[[int], Hostile]] = {
    "no protobuf": lambda size: Hostile(b"\xff" * (size - _ROOM), refused=True),
    "cut in the middle": lambda size: Hostile(_span(_texts(b"a ", size))[: size // 2], refused=True),
    "a length of more than there is": lambda _: Hostile(b"\x0a\xff\xff\xff\xff\x0f", refused=True),
    "one byte more than the limit": lambda _: Hostile(b"\x0a" + bytes(LIMIT), refused=True),
    "a gzip bomb of 75 times the limit": lambda _: Hostile(
        gzip.compress(bytes(75 * LIMIT)), encoding="gzip", refused=True
    ),
    "gzip that is none": lambda _: Hostile(b"nonsense", encoding="gzip", refused=True),
    "an unknown encoding": lambda _: Hostile(b"nonsense", encoding="rot13", refused=True),
    "an unknown content type": lambda _: Hostile(_span(b""), kind="text/plain", refused=True),
    "no JSON": lambda size: Hostile(b"[" * (size - _ROOM), kind=JSON, refused=True),
    "JSON that is cut": lambda _: Hostile(b'{"resourceSpans":[{"scopeSpans":[', kind=JSON, refused=True),
}
"""At whatever limit."""

HEAVY: dict[str, Callable[[int], Hostile]] = {
    "a nesting bomb, 100 levels": _sent(lambda size: _chains(100, size)),
    "a nesting bomb, 1,000 levels": _sent(lambda size: _chains(1_000, size)),
    "one nesting bomb": _sent(lambda size: _attribute(_chain(size // 13))),
    "attributes": _sent(lambda size: _numbered(size, text(b"x"))),
    "attributes without a key": _sent(lambda size: _fill(field(9, b""), size)),
    "one string": _sent(lambda size: _attribute(text(b"x" * (size - _ROOM)))),
    "strings of numbers": _sent(lambda size: _texts(b"4111 ", size)),
    "strings of addresses": _sent(lambda size: _texts(b"a@b.co ", size)),
    "strings of secrets": _sent(lambda size: _texts(b"password=x&", size)),
    "strings of quotes": _sent(lambda size: _texts(b'"', size)),
    "strings that are not UTF-8": _sent(lambda size: _texts(b"\xff\xc0", size)),
    "an array of integers": _sent(lambda size: _attribute(field(5, _fill(field(1, b"\x18\x07"), size)))),
    "an array of long integers": _sent(
        lambda size: _attribute(field(5, _fill(field(1, b"\x18\xff\xff\xff\xff\xff\xff\x7f"), size)))
    ),
    "NaN and infinities": _sent(_doubles),
    # JSON knows no NaN: one of them, and what is known of all other values by their JSON is not known.
    "an array of integers beside a NaN": _sent(
        lambda size: _attribute(field(5, _fill(field(1, b"\x18\x07"), size - 100))) + _attribute(_NAN, b"n")
    ),
    "bytes": _sent(lambda size: _attribute(field(7, bytes(range(256)) * ((size - 1000) // 256)))),
    "an array of bytes": _sent(lambda size: _attribute(field(5, _fill(field(1, field(7, b"\xff\x00\xfe")), size)))),
    "keys of a megabyte": _sent(
        lambda size: b"".join(_attribute(text(b"x"), b"%d" % number + b"k" * (size // 4 - 200)) for number in range(4))
    ),
    "one key": _sent(lambda size: _attribute(text(b"x"), b"k4111 " * ((size - 200) // 6))),
    "a map of texts": _sent(lambda size: _attribute(field(6, _pairs(size)))),
    "a map of one key": _sent(lambda size: _attribute(field(6, _fill(field(1, pair(b"k", b"\x18\x07")), size)))),
    "an array of long texts": _sent(
        lambda size: _attribute(field(5, field(1, text(b"x" * (min(size, 900_000) // 900 - 9))) * 900))
    ),
    "empty spans": _tiny("traces", _request, field(2, b"")),
    "empty resources": _tiny("traces", lambda units: units, field(1, b"")),
    "empty events": _tiny("traces", _span, field(11, b"")),
    "empty links": _tiny("traces", _span, field(13, b"")),
    "empty log records": _tiny("logs", _request, field(2, b"")),
    "empty points": _tiny("metrics", lambda units: _request(field(2, field(1, b"m") + field(5, units))), field(1, b"")),
    "spans of one attribute": _tiny("traces", _request, field(2, _attribute(text(b"a@b.co")))),
    "a deep JSON": lambda size: Hostile(
        b'{"resourceSpans":[' + b"[" * (size // 2 - 100) + b"]" * (size // 2 - 100) + b"]}", kind=JSON
    ),
}
"""Of what is taken, the most that fits."""


def levels(depth: int) -> Hostile:
    """Give a request with one value of so many levels."""
    return Hostile(_span(_attribute(_chain(depth))))
