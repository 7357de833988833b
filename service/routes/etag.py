"""Validators and conditional requests (RFC 9110, sections 8.8.3 and 13.1.2)."""

import hashlib
import re

from fastapi import Request
from starlette.responses import Response
from starlette.status import HTTP_200_OK, HTTP_304_NOT_MODIFIED

CACHE_CONTROL = "private, no-cache"
"""Keep it, but ask each time: the answer may be a 304."""

_ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def tagged(request: Request, body: bytes, media_type: str = "application/json") -> Response:
    """The response with `body` and its strong validator, or 304 where the client has that already."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": CACHE_CONTROL}
    if _matches(request, tag):
        return Response(status_code=HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(body, HTTP_200_OK, headers, media_type)


def _matches(request: Request, tag: str) -> bool:
    given = ", ".join(request.headers.getlist("if-none-match")).strip()
    # Weak comparison: `W/` says nothing here.
    return given == "*" or tag in _ENTITY_TAG.findall(given)
