"""Looks for what must not be there in bytes that left a process, however it was written down in them."""

import binascii
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import re2
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

OTLP: dict[str, type[Message]] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
}
# Shorter pieces stand in random ids by chance: three characters in one run of a hundred.
_ROUNDS, _SHORTEST = 3, 5
_REGEX_BYTES = 256 << 20
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})|([nrtbf0/\\\"']))")
_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"0": b"\0"}
_SHORTEST_BASE64, _FROM_URL, _GZIP = 12, bytes.maketrans(b"-_", b"+/"), b"\x1f\x8b"
_SLASH, _PART = re.compile(rb"/"), re.compile(rb"[/_+-]")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}={0,2}")
_SEPARATORS = " \t\r\n\v\f\xa0.-_()/+"
_LATIN = {0xDC00 + byte: byte for byte in range(0x80, 0x100)}
_ID = re.compile(rb"[0-9a-f]{16}|[0-9a-f]{32}")
_DIGITS = re2.compile(r"(?:^|[^0-9a-z])([0-9](?:[ .\-()/+]{0,3}[0-9]){8,})\b")
# Seconds or nanoseconds since the epoch: a clock, not somebody's number.
_CLOCK = re.compile(r"\b1[0-9]{9}(?:\.[0-9]+|[0-9]{9})\b")
_SHORTEST_SQUEEZED = 10
# Shorter numbers occur by chance in clocks and durations once their separators are gone.
_SURE_NUMBER, _SHORTEST_NUMBER = 13, 9


@dataclass(frozen=True, slots=True)
class Finding:
    """A marker that was found: where, as what, and what stands around it."""

    where: str
    marker: str
    around: str


class Search:
    """A search for a set of markers.

    Args:
        markers: texts, in whatever spelling.
    """

    def __init__(self, markers: Iterable[str]) -> None:
        lines = {line for marker in markers for line in (marker, *marker.splitlines()) if len(line) >= _SHORTEST}
        spelt = lines | {flat for line in lines if len(flat := _text(_flat(line.encode()))) >= _SHORTEST}
        found = {_folded(line) for line in spelt}
        numbers = {marker for marker in found if _squeezed(marker).isdecimal()}
        words = found - numbers
        self._plain = _any_of(words | {number for number in numbers if len(number) >= _SURE_NUMBER})
        self._numbers = _any_of(numbers, r"(?:^|[^0-9])", r"(?:[^0-9]|$)")
        squeezed = {_squeezed(word) for word in words if len(_squeezed(word)) >= _SHORTEST_SQUEEZED}
        digits = {_squeezed(number) for number in numbers}
        self._squeezed = _any_of(squeezed | {number for number in digits if len(number) >= _SURE_NUMBER})
        self._runs = _any_of({number for number in digits if _SHORTEST_NUMBER <= len(number) < _SURE_NUMBER})

    def texts(self, where: str, texts: Iterable[str]) -> list[Finding]:
        """Look through texts."""
        return self.bytes(where, "\n".join(texts).encode("utf-8", "surrogatepass"))

    def otlp(self, path: str, body: bytes) -> list[Finding]:
        """Look through an OTLP request: its raw bytes, and every string, number and byte field of its message."""
        whole = _inflated(body)
        raw = self._view(f"{path} raw", _folded(whole.decode("utf-8", "replace")))
        return [*raw, *self.texts(path, fields(OTLP[path].FromString(whole)))]

    def bytes(self, where: str, data: bytes) -> list[Finding]:
        """Look through bytes, and through all that they may be an encoding of."""
        findings: dict[tuple[str, str], Finding] = {}
        for how, view in views(data):
            for finding in self._view(f"{where} {how}".strip(), _folded(_text(view))):
                findings.setdefault((where, finding.marker), finding)
        return list(findings.values())

    def _view(self, where: str, text: str) -> Iterator[Finding]:
        yield from _hits(self._plain, where, text)
        yield from _hits(self._numbers, where, text)
        yield from _hits(self._squeezed, f"{where} without separators", _squeezed(text))
        runs = _squeezed("|".join(_DIGITS.findall(_CLOCK.sub("", text))))
        yield from _hits(self._runs, f"{where} digits without separators", runs)


def views(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Give the data and its decodings, each with how it was had; a line that was there before is not there again."""
    seen: set[bytes] = set()
    todo = [("", _inflated(data))]
    for _ in range(_ROUNDS + 1):
        new = []
        for how, view in todo:
            lines = [line for line in view.split(b"\n") if line not in seen]
            if not lines:
                continue
            seen.update(lines)
            fresh = b"\n".join(lines)
            yield how, fresh
            new += [(f"{how} unescaped", _flat(fresh)), (f"{how} base64", _unbased(fresh))]
        todo = new


def fields(message: Any) -> Iterator[str]:
    """Give every scalar of a protobuf message as text."""
    for descriptor, value in message.ListFields():
        for each in value if descriptor.is_repeated else (value,):
            if isinstance(each, Message):
                yield from fields(each)
            elif isinstance(each, bytes):
                yield from (each.hex(), _text(each))
            elif isinstance(each, float):
                yield from (repr(each), f"{each:.0f}")
            else:
                yield str(each)


def _any_of(markers: set[str], before: str = "", after: str = "") -> Any:
    options = re2.Options()
    options.max_mem = _REGEX_BYTES
    options.log_errors = False
    # Of nothing, nothing is found.
    alternatives = (
        "|".join(re2.escape(marker) for marker in sorted(markers, key=len, reverse=True)) or r"[^\x00-\x{10ffff}]"
    )
    return re2.compile(f"{before}({alternatives}){after}", options)


def _hits(pattern: Any, where: str, text: str) -> Iterator[Finding]:
    for match in pattern.finditer(text):
        start, end = match.span(1)
        yield Finding(where, match[1], text[max(start - 60, 0) : end + 20])


def _folded(text: str) -> str:
    return text.lower().replace("i\u0307", "i")


def _squeezed(text: str) -> str:
    for separator in _SEPARATORS:
        text = text.replace(separator, "")
    return text


def _text(data: bytes) -> str:
    """Bytes as UTF-8, and what is none as Latin-1, as headers and Python's escapes are."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape").translate(_LATIN)


def _inflated(data: bytes) -> bytes:
    try:
        return gzip.decompress(data) if data[:2] == _GZIP else zlib.decompress(data)
    except (OSError, EOFError, zlib.error):
        return data


def _flat(data: bytes) -> bytes:
    """Take one layer of percent-encoding and one of backslashes off, JSON's and Python's alike."""
    unquoted = unquote_to_bytes(data) if b"%" in data else data
    if b"\\" not in unquoted:
        return unquoted
    return _ESCAPE.sub(_character, _PAIR.sub(_beyond, unquoted))


def _beyond(pair: re.Match[bytes]) -> bytes:
    """JSON writes a character beyond the basic plane as two surrogates."""
    return pair[0].decode("unicode_escape").encode("utf-16", "surrogatepass").decode("utf-16").encode()


def _character(match: re.Match[bytes]) -> bytes:
    short, byte, long, sign = match.groups()
    if byte is not None:
        return bytes([int(byte, 16)])
    if sign is not None:
        return _ESCAPED.get(sign, sign)
    code = int(short or long, 16)
    return chr(code).encode("utf-8", "surrogatepass") if code < 0x110000 else match[0]


def _unbased(data: bytes) -> bytes:
    """Decode what may be base64, whole and between slashes and hyphens, and is text or gzip then."""
    runs = set(_BASE64.findall(data))
    parts = {part for run in runs for how in (_SLASH, _PART) for part in how.split(run)}
    runs |= {part for part in parts if len(part) >= _SHORTEST_BASE64}
    decoded = (_from_base64(run) for run in runs if not _ID.fullmatch(run))
    return b"\n".join(sorted(text for text in map(_inflated, decoded) if _is_text(text)))


def _from_base64(run: bytes) -> bytes:
    plain = run.rstrip(b"=").translate(_FROM_URL)
    if len(plain) % 4 == 1:  # one character too many: it is no whole encoding
        plain = plain[:-1]
    return binascii.a2b_base64(plain + b"=" * (-len(plain) % 4))


def _is_text(data: bytes) -> bool:
    try:
        return data.decode("utf-8").isprintable() or b"\n" in data
    except UnicodeDecodeError:
        return False
