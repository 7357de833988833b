"""Where a message begins and ends: bytes to heads, bodies and the application's tasks."""

import re
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.readiness import Readiness, State
from service.server.heads import VERSIONS, NotServed, judge_coding, judge_line, with_host, with_path, without_upgrade

_EMPTY_LINE = b"\r\n\r\n"
_LINE_ENDS = re.compile(rb"[\r\n]+")


class FramedProtocol(HttpToolsProtocol):
    """The parser's side of a connection.

    Attributes:
        in_head: A head has begun and has not ended.
        in_body: A head has ended and its body has not.
        progressed: What was fed brought a request nearer to its end.
        line: The request line, as far as it has come.
    """

    readiness: Readiness

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
        super().__init__(*args, **kwargs)
        # uvicorn asks whether the access logger has handlers; every logger's records go to telemetry.
        self.access_log = self.config.access_log
        self.in_head = False
        self.in_body = False
        self.progressed = False
        self.line = bytearray()
        self._in_line = True
        self._body_left = 0

    def feed(self, data: bytes) -> None:
        """Parse.

        Raises:
            httptools.HttpParserError: It is not HTTP.
        """
        self.progressed = False
        at = 0
        while at < len(data):
            piece = data[at : self._end_of_piece(data, at)]
            at += len(piece)
            if not self.in_head and not self.in_body:
                self.line.clear()
                self._in_line = True
            if self._in_line:
                self._read_line(piece)
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade as upgrade:
                # The parser takes the body for the new protocol, and what it skips would be the next request:
                # the head is read again, without the offer.
                version = self.parser.get_http_version()
                head = without_upgrade(self.parser.get_method(), self.url, version, self.headers)
                data, at = head + piece[upgrade.args[0] :] + data[at:], 0
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does

    def _end_of_piece(self, data: bytes, at: int) -> int:
        """Say how far to feed the parser: it does not say where a message begins, so none begins inside a piece.

        A head ends with an empty line, a body in chunks as well, another body by its length.
        """
        if self._body_left:
            return at + self._body_left
        # Line ends alone: the rest of an empty line that began in an earlier read.
        if found := _LINE_ENDS.match(data, at):
            return found.end()
        end = data.find(_EMPTY_LINE, at)
        return len(data) if end < 0 else end + len(_EMPTY_LINE)

    def _read_line(self, data: bytes) -> None:
        if not self.line:
            data = data.lstrip(b"\r\n")
        end = data.find(b"\n")
        if end < 0:
            self.line += data
            return
        self.line += data[:end]
        self._in_line = False
        judge_line(bytes(self.line))

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self.in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, but no trailer."""
        # A trailer would join the headers that the layers have judged already (RFC 9110 section 6.5.1).
        if self.in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End a head; uvicorn starts or queues its request.

        Raises:
            httptools.HttpParserError: It is not served here.
        """
        if self.parser.should_upgrade():
            return
        version = self.parser.get_http_version()
        if version not in VERSIONS:
            raise NotServed(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
        judge_coding(self.headers, version)
        if version == "1.0":
            self.expect_100_continue = False  # RFC 9110 section 10.1.1
        self._body_left = next((int(value) for name, value in self.headers if name == b"content-length"), 0)
        if not self.url.startswith(b"/"):
            self.headers[:] = with_host(self.headers, self.url)
        self.url = with_path(self.url)
        self.in_head = False
        self.in_body = True
        self.progressed = True
        super().on_headers_complete()
        if self.readiness.state is State.DRAINING:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._body_left = max(self._body_left - len(body), 0)
        self.progressed = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request's bytes."""
        if self.parser.should_upgrade():
            return
        self.in_body = False
        self.progressed = True
        super().on_message_complete()
