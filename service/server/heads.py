"""What a request's head says, judged or read again: functions of bytes, without a connection.

httptools takes other protocols' request lines for HTTP, and gives one error for all that it does not take.
"""

import re
from collections.abc import Iterable
from http import HTTPStatus

import httptools

Headers = list[tuple[bytes, bytes]]
# httptools parses no longer target. Bytes.
MAX_TARGET = 65_535
VERSIONS = frozenset({"1.0", "1.1"})
_PROTOCOLS = frozenset({b"HTTP/1.0", b"HTTP/1.1"})
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_ABSOLUTE = re.compile(rb"[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#]*)", re.IGNORECASE)
_REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ +[\x21-\x7e]+ +HTTP/1\.[01]\r?")


class NotServed(httptools.HttpParserError):
    """Nothing here can serve it.

    Args:
        status: The status that HTTP has for it.
    """

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


def status_of(error: httptools.HttpParserError, line: bytes) -> HTTPStatus:
    """Give the status for what the parser did not take.

    Args:
        error: The parser's, or one of those below.
        line: The request line without its end, as far as it has come.
    """
    cause = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else error
    if isinstance(cause, NotServed):
        return cause.status
    if "method" in str(error) and _REQUEST_LINE.fullmatch(line):
        # RFC 9110 section 9.1: unrecognised, which the parser finds before it looks at the rest.
        return HTTPStatus.NOT_IMPLEMENTED
    return HTTPStatus.BAD_REQUEST


def judge_line(line: bytes) -> None:
    """See that a request line is one of HTTP/1.

    Args:
        line: The line, without its line feed.

    Raises:
        NotServed: 505 for another version (RFC 9110 section 15.6.6), 400 for another protocol.
    """
    protocol = line.rstrip(b"\r").rpartition(b" ")[2]
    if protocol not in _PROTOCOLS:
        known = _VERSION.fullmatch(protocol)
        raise NotServed(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED if known else HTTPStatus.BAD_REQUEST)


def judge_coding(headers: Iterable[tuple[bytes, bytes]], version: str) -> None:
    """See that the body's transfer coding is one that is decoded here (RFC 9112 section 6.1).

    Args:
        headers: Names in lower case, and values.
        version: "1.0" or "1.1".

    Raises:
        NotServed: 501 for another coding than `chunked`, 400 for any in HTTP/1.0.
    """
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if not codings:
        return
    if version == "1.0":
        raise NotServed(HTTPStatus.BAD_REQUEST)
    if b",".join(codings).strip().lower() != b"chunked":
        raise NotServed(HTTPStatus.NOT_IMPLEMENTED)


def with_path(target: bytes) -> bytes:
    """Give a target with a path: an absolute one without any is the root's (RFC 9110 section 4.2.3).

    Raises:
        NotServed: 414, it is too long.
        httptools.HttpParserInvalidURLError: It is no target.
    """
    if len(target) > MAX_TARGET:
        raise NotServed(HTTPStatus.REQUEST_URI_TOO_LONG)
    if target.startswith(b"/"):
        return target
    url = httptools.parse_url(target)
    # Despite its types a part that is not there is None.
    if url.path:
        return target
    return b"/?" + url.query if url.query else b"/"


def with_host(headers: Headers, target: bytes) -> Headers:
    """Give a head's fields as they count: the host that an absolute target names replaces `Host` (RFC 9112, 3.2.2).

    Args:
        headers: Names in lower case, and values.
        target: The request target.
    """
    absolute = _ABSOLUTE.match(target)
    if absolute is None:
        return headers
    return [(b"host", absolute[1]), *(field for field in headers if field[0] != b"host")]


def without_upgrade(method: bytes, target: bytes, version: str, headers: Headers) -> bytes:
    """Write a head again without its offer to upgrade, which nobody here takes (RFC 9110 section 7.8).

    Args:
        method: The method.
        target: The request target.
        version: "1.0" or "1.1".
        headers: Names in lower case, and values.

    Raises:
        httptools.HttpParserError: It asks for a tunnel.
    """
    if method == b"CONNECT":
        raise httptools.HttpParserError("a tunnel, with or without an offer")
    lines = [method + b" " + target + b" HTTP/" + version.encode("ascii")]
    for name, value in headers:
        kept = value
        if name == b"connection":
            kept = b", ".join(token for token in map(bytes.strip, value.split(b",")) if token.lower() != b"upgrade")
        if name != b"upgrade" and (kept or not value):
            lines.append(name + b": " + kept)
    return b"\r\n".join(lines) + b"\r\n\r\n"
