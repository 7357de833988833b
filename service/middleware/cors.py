"""Which web pages may call the service (https://fetch.spec.whatwg.org/#http-cors-protocol).

The judgement is Starlette's; only its way of sending is not used: headers travel with whatever response
leaves, whoever made it, so that a page can read a 401, a 429 and a 500 too.
"""

from collections.abc import Sequence
from typing import ClassVar

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from service.errors import Headers as RawHeaders
from service.errors import ServiceError
from service.middleware.refusal import refuse

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "Traceparent",
    "Tracestate",
    "X-Request-ID",
)
EXPOSED_HEADERS = ("X-Request-ID", "traceresponse", "RateLimit", "RateLimit-Policy", "Retry-After", "ETag")
MAX_AGE_SECONDS = 600


class PreflightRefused(ServiceError):
    """The page, the method or a header is not allowed from elsewhere.

    Args:
        headers: what Starlette says to the browser.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "preflight-refused"
    title: ClassVar[str] = "Bad Request"
    default_detail: ClassVar[str] = "This cross-origin request is not allowed."

    def __init__(self, headers: RawHeaders) -> None:
        super().__init__()
        self._headers = headers

    def headers(self) -> RawHeaders:
        """What may be asked for instead."""
        return self._headers


class Cors:
    """Judges origins and answers preflights.

    Args:
        origins: allowed origins; `*` allows every one.
    """

    def __init__(self, origins: Sequence[str]) -> None:
        self._judge = CORSMiddleware(
            _unused,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            max_age=MAX_AGE_SECONDS,
        )
        self.enabled = bool(origins)
        self._any = "*" in origins
        self._exposed = (b"access-control-expose-headers", ", ".join(EXPOSED_HEADERS).encode())
        self._denied = () if self._any else ((b"vary", b"Origin"),)

    def response_headers(self, origin: bytes | None) -> tuple[tuple[bytes, bytes], ...]:
        """The fields for a response to a request from `origin` (None: not from a page)."""
        if origin is None or not self._judge.is_allowed_origin(origin.decode("latin-1")):
            return self._denied
        allowed = (b"access-control-allow-origin", b"*" if self._any else origin)
        return (allowed, self._exposed, *self._denied)

    async def preflight(self, layer: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight in `layer`'s name."""
        response = self._judge.preflight_response(Headers(scope=scope))
        if response.status_code < 400:  # noqa: PLR2004
            response.body, response.status_code = b"", 204
            response.raw_headers = _without_body(response.raw_headers)
            await response(scope, receive, send)
            return
        error = PreflightRefused(_without_body(response.raw_headers))
        await refuse(error, scope, receive, send, layer=layer, reason="preflight_refused")


def _without_body(headers: RawHeaders) -> RawHeaders:
    return [(name, value) for name, value in headers if name not in {b"content-length", b"content-type"}]


async def _unused(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Stands where Starlette wants an application; its judgement needs none."""
