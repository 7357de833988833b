"""What no handler should have to think of: hosts, content types, the size and the pace of bodies."""

from typing import ClassVar

from starlette.types import ASGIApp, Receive, Scope, Send

from service.access import Access
from service.errors import ContentTooLarge, MisdirectedHost, NotFound, ServiceError, UnsupportedMediaType
from service.middleware.body import IDLE_SECONDS, TOTAL_SECONDS, Body
from service.middleware.cors import Cors
from service.middleware.head import Head, read_head
from service.middleware.hosts import Hosts
from service.middleware.refusal import refuse
from telemetry import current_request

NAME = "owasp"
REASONS = (
    "host", "path", "malformed_head", "content_type", "body_too_large", "slow_body", "preflight_refused"
)  # fmt: skip
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_WITH_JSON = frozenset({"POST", "PUT", "PATCH"})
BODY_KEY = "service.body"


class MalformedHead(ServiceError):
    """The head contradicts itself."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "malformed-head"
    title: ClassVar[str] = "Bad Request"
    default_detail: ClassVar[str] = "The request head is malformed."


class Owasp:
    """Judges the head against the host list and the content types, then counts the body as it is read.

    Args:
        app: the handler.
        hosts: which `Host` is served.
        cors: answers preflights here, behind the rate limit.
        max_body_bytes: of a request.
        idle_seconds: that may pass between two chunks of a body.
        total_seconds: for a whole body.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Hosts,
        cors: Cors,
        max_body_bytes: int,
        idle_seconds: float = IDLE_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self.app = app
        self._hosts = hosts
        self._cors = cors
        self._max_body_bytes = max_body_bytes
        self._idle_seconds = idle_seconds
        self._total_seconds = total_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        head = read_head(scope)
        method: str = scope["method"]
        access: Access = scope["access"]
        found = self._fault(scope["path"], head, method, access)
        if found is not None:
            reason, error = found
            await refuse(error, scope, receive, send, layer=NAME, reason=reason)
        elif method == "OPTIONS" and head.is_preflight(method):
            await self._cors.preflight(NAME, scope, receive, send)
        elif method in _BODILESS and not head.has_body:
            await self.app(scope, receive, send)
        else:
            body = Body(
                receive,
                current_request(scope),
                layer=NAME,
                limit=self._max_body_bytes,
                json=access.auth == "bearer" or _is_json(head),
                idle=self._idle_seconds,
                total=self._total_seconds,
            )
            if head.has_body:
                scope[BODY_KEY] = body  # whether it was read decides whether the connection may stay
            await self.app(scope, body.receive, send)

    def _fault(self, path: str, head: Head, method: str, access: Access) -> tuple[str, ServiceError] | None:
        # Probes (the routes without a limit) come from machines that know the address, not the name.
        if access.policy is not None and ("host" in head.repeated or not self._hosts.serves(head.host)):
            return "host", MisdirectedHost()
        if path.endswith("\n"):
            return "path", NotFound()  # the router's `$` would overlook it, and serve another path's route
        return self._body_fault(head, method, access) if head.has_body else None

    def _body_fault(self, head: Head, method: str, access: Access) -> tuple[str, ServiceError] | None:
        if not _is_length(head):
            return "malformed_head", MalformedHead()
        if head.content_length is not None and int(head.content_length) > self._max_body_bytes:
            return "body_too_large", ContentTooLarge()
        if method in _WITH_JSON and access.auth == "bearer" and not _is_json(head):
            return "content_type", UnsupportedMediaType()
        return None


def _is_length(head: Head) -> bool:
    # RFC 9112 section 6.3; int() is spared what it would take for a number and HTTP does not.
    length = head.content_length
    if "content_length" in head.repeated:
        return False
    return length is None or (length.isdigit() and len(length) < 20)  # noqa: PLR2004


def _is_json(head: Head) -> bool:
    if head.content_type is None or "content_type" in head.repeated:
        return False
    if "content_encoding" in head.repeated or (head.content_encoding or b"identity").strip().lower() != b"identity":
        return False
    kind, *parameters = head.content_type.lower().split(b";")
    kind = kind.strip()
    if not (kind == b"application/json" or (kind.startswith(b"application/") and kind.endswith(b"+json"))):
        return False
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"charset" and value.strip().strip(b'"') not in {b"utf-8", b"utf8"}:
            return False
    return True
