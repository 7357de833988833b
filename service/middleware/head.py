"""What the layers need of a request's head, read in one pass and kept in the scope."""

from collections import Counter
from itertools import chain
from typing import Any

from starlette.types import Scope

from telemetry import current_request

_KEY = "service.head"
_SINGLE = {
    b"authorization": "authorization",
    b"host": "host",
    b"origin": "origin",
    b"content-type": "content_type",
    b"content-length": "content_length",
    b"content-encoding": "content_encoding",
    b"transfer-encoding": "transfer_encoding",
    b"access-control-request-method": "requested_method",
}
# Per field: the colon, the space and the line's end; for the request line: its spaces, version and end.
_FIELD_BYTES = 4
_LINE_BYTES = 12


def _repeated(fields: list[tuple[bytes, bytes]]) -> frozenset[str]:
    seen = Counter(name for name, _ in fields)
    return frozenset(field for name, field in _SINGLE.items() if seen[name] > 1)


class Head:
    """Fields of one request's head; each a value, None where absent.

    Attributes:
        size: bytes of the head as HTTP/1.1 writes it.
        repeated: names of the fields below that came more than once.
    """

    __slots__ = (
        "authorization", "content_encoding", "content_length", "content_type", "host", "origin", "repeated",
        "requested_method", "size", "transfer_encoding",
    )  # fmt: skip

    def __init__(self, scope: Scope) -> None:
        fields = scope["headers"]
        last = current_request(scope).headers
        get = last.get
        self.authorization = get(b"authorization")
        self.content_encoding = get(b"content-encoding")
        self.content_length = get(b"content-length")
        self.content_type = get(b"content-type")
        self.host = get(b"host")
        self.origin = get(b"origin")
        self.requested_method = get(b"access-control-request-method")
        self.transfer_encoding = get(b"transfer-encoding")
        self.repeated = _repeated(fields) if len(last) != len(fields) else frozenset()
        raw_path = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass")
        self.size = (
            _LINE_BYTES
            + len(scope["method"])
            + len(raw_path)
            + len(scope.get("query_string", b""))
            + len(fields) * _FIELD_BYTES
            + sum(map(len, chain.from_iterable(fields)))
        )

    @property
    def has_body(self) -> bool:
        """The head announces a body."""
        return self.transfer_encoding is not None or self.content_length not in {None, b"0"}

    def is_preflight(self, method: str) -> bool:
        """A CORS preflight (https://fetch.spec.whatwg.org/#cors-preflight-request)."""
        return method == "OPTIONS" and self.origin is not None and self.requested_method is not None


def read_head(scope: Scope) -> Head:
    """The head of the request in `scope`, read once."""
    head: Any = scope.get(_KEY)
    if head is None:
        head = scope[_KEY] = Head(scope)
    found: Head = head
    return found
