"""Headers that every response carries, whichever layer made it; called once for each response start.

On the hot path: what does not depend on the request is built once, and the usual response takes one
look at its own headers. A header that the response has already is never sent twice.
"""

from collections.abc import Iterable

from starlette.types import Scope

from service.middleware.cors import Cors
from service.middleware.head import read_head
from service.middleware.owasp import BODY_KEY
from service.middleware.refusal import CLOSE
from telemetry import RequestRecord

Headers = tuple[tuple[bytes, bytes], ...]

# OWASP Secure Headers; an API renders nothing, so its policy allows nothing. A page that does render
# (the documentation) sends its own policy, which then stands.
SECURITY: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
NO_STORE = (b"cache-control", b"no-store")
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")


class ResponseHeaders:
    """The hook for `telemetry.instrument(response_headers=…)`.

    Args:
        cors: whose fields go with the answers to allowed origins.
        production: HTTPS is in front, so browsers are told to insist on it.
    """

    def __init__(self, cors: Cors, *, production: bool) -> None:
        self._cors = cors
        self._always: Headers = (*SECURITY, NO_STORE, *((STRICT_TRANSPORT,) if production else ()))
        self._ours = frozenset(name for name, _ in self._always)

    def __call__(
        self, scope: Scope, record: RequestRecord, _status: int, headers: list[tuple[bytes, bytes]]
    ) -> Iterable[tuple[bytes, bytes]]:
        """What to add to a response that has `headers` already."""
        added = self._always
        for name, _ in headers:
            if name in self._ours:
                present = {name for name, _ in headers}
                added = tuple(field for field in added if field[0] not in present)
                break
        if self._cors.enabled:
            added += self._for_origin(scope, headers)
        body = scope.get(BODY_KEY)
        if body is not None and not body.complete and CLOSE not in record.response_headers:
            # The answer leaves before the body was read: what is left must not keep the connection.
            added += (CLOSE,)
        return added

    def _for_origin(self, scope: Scope, headers: list[tuple[bytes, bytes]]) -> Headers:
        present = {name for name, _ in headers}
        fields = self._cors.response_headers(read_head(scope).origin)
        # A preflight's answer has said all this itself. `Vary` may come in several lines.
        if b"access-control-allow-origin" in present or b"access-control-allow-methods" in present:
            return ()
        return fields
