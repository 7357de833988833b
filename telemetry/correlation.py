"""One request, one id: bound into the logs, sent with every response, and closed by one access event.

The outermost middleware inside the server span, so that what it adds reaches the responses of every layer,
unhandled errors' too (asgi-correlation-id#19, #55). The access event is written at the last body message: after
it the span is over, and work in the background would inflate the duration (opentelemetry-python-contrib#4251).
"""

from __future__ import annotations

import random
import re
from asyncio import CancelledError
from time import perf_counter
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from telemetry import names
from telemetry.accounts import CLIENT_DISCONNECTED
from telemetry.logs import bind_request, get_logger, unbind_request
from telemetry.request import current_request
from telemetry.server_span import close_current, describe_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from telemetry.accounts import Accounts
    from telemetry.logs import Bound
    from telemetry.request import RequestRecord

    Headers = list[tuple[bytes, bytes]]
    ResponseHeaders = Callable[[Scope, RequestRecord, int, Headers], Iterable[tuple[bytes, bytes]]]
    ErrorResponse = Callable[[Scope, RequestRecord, Exception, Receive, Send], Awaitable[None]]

_log = get_logger(__name__)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_OURS = frozenset({b"x-request-id", b"traceresponse"})
CLIENT_CLOSED_REQUEST = 499  # nginx's code for a client that left first


class Correlation:
    """Binds ids, completes responses, answers unhandled exceptions and closes the books of each request.

    Args:
        app: what it wraps.
        accounts: metrics, access event and error reports of finished requests.
        response_headers: gives header fields to add to a response that is about to start.
        error_response: answers an unhandled exception.
        harmless: says whether the privacy policy leaves a text as it is.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        accounts: Accounts,
        response_headers: ResponseHeaders,
        error_response: ErrorResponse,
        harmless: Callable[[str], bool],
    ) -> None:
        self.app = app
        self.accounts = accounts
        self._harmless = harmless
        self._response_headers = response_headers
        self._error_response = error_response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other scope types pass through.

        Raises:
            Exception: what the application did not handle, after it was answered.
        """
        if scope["type"] == "http":
            with self.accounts.isolated():
                await self._serve(scope, receive, send)
        elif scope["type"] == "websocket":
            with self.accounts.isolated():
                await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        record = current_request(scope)
        bound = self._identify(record)
        exchange = _Exchange(self, scope, record, receive, send)
        self.accounts.opened(record)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            exchange.disconnected = True
        except CancelledError:
            # The server's grace is over: the client has no answer and will not get one.
            if not exchange.closed:
                exchange.close(CLIENT_CLOSED_REQUEST)
            raise
        except Exception as exception:
            await self._failed(exchange, exception)
            raise
        finally:
            if not exchange.closed:
                # An application that returns without an answer gets a 500 from the server.
                exchange.close(CLIENT_CLOSED_REQUEST if exchange.disconnected else record.status or 500)
            unbind_request(bound)

    def _identify(self, record: RequestRecord) -> Bound:
        offered = record.offered_request_ids
        taken = offered[0].decode() if len(offered) == 1 and _REQUEST_ID.fullmatch(offered[0]) else None
        if taken is not None and self._harmless(taken):
            record.request_id = taken
        else:
            # Unique, not secret: the same generator as for trace ids.
            record.request_id = f"req_{random.getrandbits(128):032x}"
        ids = describe_request(record.request_id, record.remote_trace)
        if ids is not None:
            record.trace_id, record.span_id, record.sampled = ids
        return bind_request(record.request_id, record.trace_id, record.span_id)

    async def _failed(self, exchange: _Exchange, exception: Exception) -> None:
        record = exchange.record
        self.accounts.failed(record, exception)
        if record.status == 0:
            # The exception goes on to the server, which ends the connection.
            record.response_headers.append((b"connection", b"close"))
            await self._error_response(exchange.scope, record, exception, exchange.receive, exchange.send)
        elif not exchange.closed:
            exchange.close(record.status)
            close_current()

    def complete(self, scope: Scope, record: RequestRecord, message: Message) -> None:
        """Add the ids and everybody's header fields to a response's first message."""
        headers: Headers = [*message.get("headers", ()), *record.response_headers]
        try:
            headers += self._response_headers(scope, record, message["status"], headers)
        except Exception:  # noqa: BLE001 - the application's hook; the response is worth more
            _log.exception(names.RESPONSE_HEADERS_FAILED)
        if not _OURS.isdisjoint(dict(headers)):
            headers = [header for header in headers if header[0] not in _OURS]
        headers.append((b"x-request-id", record.request_id.encode()))
        traceparent = record.traceparent
        if traceparent is not None:
            headers.append((b"traceresponse", traceparent.encode()))
        message["headers"] = headers


class _Exchange:
    """The response of one request as it passes."""

    __slots__ = (
        "_accounts", "_correlation", "_receive", "_send", "bytes_sent", "closed", "disconnected",
        "record", "scope",
    )  # fmt: skip

    def __init__(
        self, correlation: Correlation, scope: Scope, record: RequestRecord, receive: Receive, send: Send
    ) -> None:
        self._correlation = correlation
        self._accounts = correlation.accounts
        self._receive = receive
        self._send = send
        self.scope = scope
        self.record = record
        self.bytes_sent = 0
        self.closed = self.disconnected = False

    async def receive(self) -> Message:
        begun = perf_counter()
        try:
            message = await self._receive()
        finally:
            if self.record.clock is not None:
                self.record.clock.receiving += perf_counter() - begun
        if message["type"] == "http.disconnect" and not self.closed:
            self.disconnected = True
        return message

    async def send(self, message: Message) -> None:
        begun = perf_counter()
        record = self.record
        if message["type"] == "http.response.start":
            record.status = message["status"]
            self._correlation.complete(self.scope, record, message)
            self._accounts.first_byte(record)
        elif message["type"] == "http.response.body":
            self.bytes_sent += len(message.get("body", b""))
            if not message.get("more_body", False) and not self.closed:
                self.close(CLIENT_CLOSED_REQUEST if self.disconnected else record.status)
        await self._send(message)
        if record.clock is not None:
            record.clock.sending += perf_counter() - begun

    def close(self, status: int) -> None:
        self.closed = True
        self.record.status = status
        if status == CLIENT_CLOSED_REQUEST and self.record.error_type is None:
            self.record.error_type = CLIENT_DISCONNECTED
        self._accounts.closed(self.record, self.bytes_sent)
