"""Every place of a request in which a caller may send a text."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

import jwt

Ask = dict[str, Any]
"""Arguments of `httpx.AsyncClient.request`."""

JOBS, APPLICATIONS, ME = "/api/v1/jobs", "/api/v1/applications", "/api/v1/profiles/me"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
_FIELDS: dict[str, Callable[[str], str]] = {
    "Referer": "https://elsewhere.example/?from={}".format,
    "User-Agent": "agent/1.0 ({})".format,
    "X-Request-ID": str,
    "tracestate": "vendor={}".format,
    "baggage": "user={0},sentry-environment={0},sentry-trace_id=0af7651916cd43dd8448eb211c80319c".format,
    "sentry-trace": f"{TRACE}-{SPAN}-1-{{}}".format,
    "traceparent": lambda _text: f"00-{TRACE}-{SPAN}-01",
    "Idempotency-Key": str,
    "Last-Event-ID": str,
    "Cookie": "theme=dark; sid={}".format,
    "Origin": "https://{}".format,
    "Accept": "application/json, {};q=0.5".format,
    "Accept-Language": str,
    "If-None-Match": '"{}"'.format,
    "X-Forwarded-For": str,
    "X-Forwarded-Host": str,
    "Forwarded": 'for="{}"'.format,
    "X-Api-Key": str,
    "X-Info": str,
}


def header_value(text: str) -> bytes | None:
    """Give a text as a header's value, or None where it cannot be one."""
    return text.strip().encode() if text.strip() and text.isprintable() else None


def fields(text: str) -> dict[str, bytes]:
    """Give a request's header fields, each with the text."""
    return {name: form(text).encode() for name, form in _FIELDS.items()}


def formed(text: str) -> Iterator[Ask]:
    """Give requests that carry a text of a known form in every place."""
    in_path, pair = quote(text, safe=""), urlencode({"q": text})
    yield {"method": "GET", "url": f"{JOBS}/{in_path}"}
    yield {"method": "GET", "url": f"/nowhere/{in_path}?{pair}"}
    yield {"method": "GET", "url": f"{JOBS}?{in_path}"}
    if (value := header_value(text)) is not None:
        yield {"method": "GET", "url": f"{JOBS}?limit=1", "headers": fields(text)}
        yield {"method": "GET", "url": "/boom", "headers": fields(text)}
        # An id that is adopted: the other fields may stop the request before it is.
        yield {"method": "GET", "url": f"{JOBS}?limit=1", "headers": {"X-Request-ID": value}}
        yield {"method": "GET", "url": f"{JOBS}?limit=1", "headers": {"Host": value}}
        yield {"method": "GET", "url": JOBS, "headers": {"Authorization": b"Basic " + value}}
        yield {"method": "GET", "url": JOBS, "headers": {"Authorization": b"Bearer " + value}}
    yield from spoken(text)


def spoken(text: str) -> Iterator[Ask]:
    """Give requests that carry any text where people say things of themselves: bodies, query values, inputs."""
    pair = urlencode({"q": text, "limit": text, "cursor": text})
    yield {"method": "GET", "url": f"{JOBS}?{urlencode({'q': text})}"}
    yield {"method": "GET", "url": f"{JOBS}?{pair}"}
    yield {"method": "GET", "url": f"/boom?{pair}", "headers": {"X-N": "1"}}
    profile = {"name": text, "email": "someone@localhost", "phone": text, "cv_content": text}
    yield {"method": "PUT", "url": ME, "json": {**profile, "email": text}}
    yield {"method": "PUT", "url": ME, "json": {**profile, "name": "N", "phone": "1"}}
    yield {"method": "GET", "url": ME}
    yield {"method": "PUT", "url": ME, "json": {"name": {text: [text]}, text: text, "email": [text]}}
    yield {"method": "POST", "url": APPLICATIONS, "json": {"job_id": text, "note": text}}
    yield {"method": "POST", "url": APPLICATIONS, "content": text.encode(), "headers": {"Content-Type": "text/plain"}}
    yield {"method": "POST", "url": APPLICATIONS, "content": text.encode(), "headers": _JSON}
    yield {"method": "POST", "url": APPLICATIONS, "data": {"note": text, text: "1"}}
    yield {"method": "POST", "url": APPLICATIONS, "files": {"file": (f"{text}.pdf", text.encode(), "application/pdf")}}
    yield {"method": "POST", "url": "/statement", "json": {"note": text}}
    yield {"method": "POST", "url": "/wrong-statement", "json": {"note": text}}
    yield {"method": "POST", "url": "/broken-rule", "json": {"note": text}}


_JSON = {"Content-Type": "application/json"}


def token(secret: bytes, text: str, **header: str) -> str:
    """Give a token that says a text in its claims."""
    now = int(time.time())
    claims = {
        "sub": text[:200],
        "aud": "clearstory",
        "iss": "clearstory",
        "exp": now + 600,
        "email": text,
        "name": text,
        "roles": [text],
    }
    return jwt.encode(claims, secret, algorithm="HS256", headers=header)


def tokens(secret: bytes, text: str) -> Iterator[Ask]:
    """Give requests whose tokens carry a text: good, forged, with another audience, with a key id."""
    for made in (
        token(secret, text),
        token(secret, text, kid=text),
        token(b"another secret of thirty-two bytes", text),
        token(secret, text, crit=text),
    ):
        yield {"method": "GET", "url": f"{JOBS}?limit=1", "headers": {"Authorization": f"Bearer {made}"}}
    if secret:
        yield {"method": "GET", "url": "/boom", "headers": {"Authorization": f"Bearer {token(secret, text)}"}}
