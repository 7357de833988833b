"""Whatever the SDK, its transport or an answer that is none fails with, as one reason of a few."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anthropic

from service.llm.attempt import AttemptFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.llm.attempt import PieceStream

_BY_STATUS = {
    400: "invalid",
    401: "unauthorized",
    403: "unauthorized",
    404: "unknown_model",
    408: "server_error",
    409: "server_error",
    413: "too_large",
    429: "rate_limited",
    529: "overloaded",
}
# An error in a stream that began with a 200: its type says what the status would have said.
_BY_TYPE = {
    "authentication_error": "unauthorized",
    "invalid_request_error": "invalid",
    "not_found_error": "unknown_model",
    "overloaded_error": "overloaded",
    "permission_error": "unauthorized",
    "rate_limit_error": "rate_limited",
    "request_too_large": "too_large",
}
_TOO_LONG = "prompt is too long"
_OK, _SERVER_ERRORS = 200, 500
_LONGEST_WAIT = 3600.0


@contextmanager
def told(pieces: PieceStream | None = None) -> Iterator[None]:
    """Raise `AttemptFailed` in the place of any other error.

    Args:
        pieces: what was being read, and cost something already.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - what a stranger sends can fail in any way
        reason = _reason(error)
        usage = None if pieces is None else pieces.usage
        # `from None`: whoever shows the error leaves out the chain, which holds the request and with it the CV.
        raise AttemptFailed(reason, retry_after=_retry_after(error), usage=usage) from None


def reason_of(kind: object) -> str:
    """Give the reason for the type of an error that came with a 200, whatever that is."""
    return _BY_TYPE.get(str(kind), "server_error")


def _reason(error: Exception) -> str:
    # What a body is read with fails inside of the SDK, which wraps it.
    for each in (error, error.__cause__):
        if isinstance(each, AttemptFailed):
            return each.reason
    if isinstance(error, anthropic.APIStatusError):
        return _of_status(error)
    if isinstance(error, anthropic.APITimeoutError):
        return "connect"  # there is no other timeout
    if isinstance(error, anthropic.APIConnectionError):
        return "connect" if _never_sent(error) else "dropped"
    if type(error).__module__.startswith(("httpx2", "httpcore2")):
        return "dropped"  # once an answer has begun, the SDK leaves the transport's own errors as they are
    # What is no JSON, no UTF-8, or none of the shapes that were promised.
    return "malformed"


def _of_status(error: anthropic.APIStatusError) -> str:
    if error.status_code == _OK:
        return reason_of(error.type)
    if error.status_code == 400 and _TOO_LONG in str(error.api_message):  # noqa: PLR2004 - Bad Request
        return "too_large"
    known = _BY_STATUS.get(error.status_code)
    if known is not None:
        return known
    return "server_error" if error.status_code >= _SERVER_ERRORS else "rejected"


def _never_sent(error: anthropic.APIConnectionError) -> bool:
    return type(error.__cause__).__name__ in {"ConnectError", "ConnectTimeout", "PoolTimeout"}


def _retry_after(error: Exception) -> float | None:
    """Read `Retry-After` (RFC 9110 section 10.2.3), its seconds; a date is no news from a clock we do not know."""
    if isinstance(error, AttemptFailed):
        return error.retry_after
    if not isinstance(error, anthropic.APIStatusError):
        return None
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(seconds, _LONGEST_WAIT) if math.isfinite(seconds) and seconds >= 0 else None
