"""What can go wrong for a client: one small tree of errors that carry what their response needs.

Texts are fixed: nothing that the client, a database or a library wrote is repeated.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

REALM = "clearstory"
GONE_SECONDS = 5
"""How long to wait for something that is gone."""

Headers = list[tuple[bytes, bytes]]


class ServiceError(Exception):
    """An error that the client is told about.

    Args:
        detail: one fixed sentence for this occurrence; never text from outside.

    Attributes:
        refused_by: the rate limit policy that refused, and which of its limits; None: it was no limit.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal-server-error"
    title: ClassVar[str] = "Internal Server Error"
    default_detail: ClassVar[str] = "The request could not be completed."
    refused_by: tuple[str, str] | None = None

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail if detail is not None else self.default_detail
        super().__init__(self.detail)

    def headers(self) -> Headers:
        """Response headers that belong to this error."""
        return []

    def extensions(self) -> dict[str, Any]:
        """Members of the problem beyond RFC 9457's own."""
        return {}


class MisdirectedHost(ServiceError):
    """The `Host` is not one that this service answers for."""

    status = 400
    code = "misdirected-host"
    title = "Bad Request"
    default_detail = "The Host header names a host that is not served here."


class Unauthenticated(ServiceError):
    """No acceptable bearer token (RFC 6750).

    Args:
        reason: a slug for logs and metrics; the client only learns whether a token was sent at all.
    """

    status = 401
    code = "unauthenticated"
    title = "Unauthorized"
    default_detail = "A valid bearer token is needed."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason

    def headers(self) -> Headers:
        """The challenge; without credentials RFC 6750 section 3.1 wants no error code in it."""
        error = b"" if self.reason == "missing" else b', error="invalid_token"'
        return [(b"www-authenticate", b'Bearer realm="' + REALM.encode() + b'"' + error)]


class NotFound(ServiceError):
    """There is no such thing, or it is somebody else's: the answer is the same."""

    status = 404
    code = "not-found"
    title = "Not Found"
    default_detail = "There is nothing here."


class RequestTimeout(ServiceError):
    """The request did not arrive in time."""

    status = 408
    code = "request-timeout"
    title = "Request Timeout"
    default_detail = "The request took too long to arrive."


class Conflict(ServiceError):
    """The resource's state forbids it."""

    status = 409
    code = "conflict"
    title = "Conflict"
    default_detail = "The current state does not allow this."


class ContentTooLarge(ServiceError):
    """The body is over the limit."""

    status = 413
    code = "content-too-large"
    title = "Content Too Large"
    default_detail = "The body is larger than the service accepts."


class UnsupportedMediaType(ServiceError):
    """The body is of a type that the service does not read."""

    status = 415
    code = "unsupported-media-type"
    title = "Unsupported Media Type"
    default_detail = "The body must be application/json."


class UnprocessableContent(ServiceError):
    """The request is well-formed and wrong.

    Args:
        errors: which parts are wrong, as `loc`, `type` and `msg`, without their values.
        detail: one fixed sentence.
    """

    status = 422
    code = "unprocessable-content"
    title = "Unprocessable Content"
    default_detail = "The request is not valid; see errors."

    def __init__(self, errors: Sequence[Mapping[str, Any]] = (), detail: str | None = None) -> None:
        super().__init__(detail)
        self.errors = [dict(error) for error in errors]

    @classmethod
    def at(cls, *loc: str, kind: str, message: str) -> "UnprocessableContent":
        """The error for one field: `loc` is its place, `kind` a slug, `message` a fixed sentence."""
        return cls([{"loc": list(loc), "type": kind, "msg": message}])

    def extensions(self) -> dict[str, Any]:
        """The `errors` member."""
        return {"errors": self.errors}


class RateLimited(ServiceError):
    """Over a limit.

    Args:
        policy: the policy's name.
        limit: requests it allows in a window.
        window: the window, in seconds.
        resets_in: seconds until the next request would be admitted.
    """

    status = 429
    code = "rate-limited"
    title = "Too Many Requests"
    default_detail = "Too many requests; wait as long as Retry-After says."

    def __init__(self, policy: str, limit: int, window: float, resets_in: float) -> None:
        super().__init__()
        self.policy, self.limit, self.window, self.resets_in = policy, limit, window, resets_in
        self.refused_by = (policy, "requests")

    def headers(self) -> Headers:
        """`Retry-After`, rounded up so that a client which obeys it is admitted."""
        return [retry_after(self.resets_in)]

    def extensions(self) -> dict[str, Any]:
        """Which limit it is."""
        return {"policy": self.policy, "limit": "requests"}


class LlmLimited(ServiceError):
    """Over a limit for calls of the language model.

    Args:
        policy: the policy's name.
        limit: which of its limits: `tokens` or `concurrency`.
        retry_after: seconds until a retry makes sense.
    """

    status = 429
    code = "llm-limited"
    title = "Too Many Requests"
    default_detail = "The language model was used up to a limit; wait as long as Retry-After says."

    def __init__(self, policy: str, limit: str, retry_after: float) -> None:
        super().__init__()
        self.policy, self.limit, self.retry_after = policy, limit, retry_after
        self.refused_by = (policy, limit)

    def headers(self) -> Headers:
        """`Retry-After`, rounded up so that a client which obeys it does not come too early."""
        return [retry_after(self.retry_after)]

    def extensions(self) -> dict[str, Any]:
        """Which limit it is."""
        return {"policy": self.policy, "limit": self.limit}


class OverTokenBudget(ServiceError):
    """One call that needs more tokens than the caller's whole budget; 422, for no wait makes it fit.

    Not 413: what is too large is seldom the request's body, but the profile or the advert it names.

    Args:
        policy: the policy's name.
    """

    status = 422
    code = "over-token-budget"
    title = "Unprocessable Content"
    default_detail = "The call needs more tokens than the whole budget; shorten what the model is to read or write."

    def __init__(self, policy: str) -> None:
        super().__init__()
        self.policy = policy
        self.refused_by = (policy, "tokens")

    def extensions(self) -> dict[str, Any]:
        """Which limit it is."""
        return {"policy": self.policy, "limit": "tokens"}


class AnswerRefused(ServiceError):
    """The language model or its provider does not answer this at all; another try would end alike.

    Args:
        reason: `invalid`, `too_long` or `refused`.
    """

    status = 422
    code = "llm-refused"
    title = "Unprocessable Content"
    default_detail = "The language model does not answer this; what it is given has to change."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason

    def extensions(self) -> dict[str, Any]:
        """Why."""
        return {"reason": self.reason}


class TooManyUnfinished(ServiceError):
    """The caller has as much work in the background as one may have.

    Args:
        retry_after: seconds after which some of it may be done.
    """

    status = 429
    code = "too-many-unfinished"
    title = "Too Many Requests"
    default_detail = "Too many earlier requests are still worked on; wait until one is done."

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after

    def headers(self) -> Headers:
        """`Retry-After`: nobody knows exactly."""
        return [retry_after(self.retry_after)]


class HeadTooLarge(ServiceError):
    """The request's head is over the limit (RFC 6585)."""

    status = 431
    code = "head-too-large"
    title = "Request Header Fields Too Large"
    default_detail = "The request head is larger than the service accepts."


class AnswerBroken(ServiceError):
    """The language model's answer broke off, or held what must not leave.

    Args:
        reason: `interrupted` or `withheld`.
    """

    status = 502
    code = "llm-broken"
    title = "Bad Gateway"
    default_detail = "The language model's answer is not complete; nothing of it was kept."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason

    def extensions(self) -> dict[str, Any]:
        """Why."""
        return {"reason": self.reason}


class Unavailable(ServiceError):
    """Something the service needs does not answer.

    Args:
        retry_after: seconds after which a retry makes sense.
    """

    status = 503
    code = "unavailable"
    title = "Service Unavailable"
    default_detail = "The service cannot answer at the moment."

    def __init__(self, retry_after: float = GONE_SECONDS) -> None:
        super().__init__()
        self.retry_after = retry_after

    def headers(self) -> Headers:
        """`Retry-After`, also where nobody knows: clients without one come back at once."""
        return [retry_after(self.retry_after)]


class AnswerUnavailable(Unavailable):
    """No provider of a language model answers, or may be asked.

    Args:
        retry_after: seconds after which a retry makes sense.
        refused_by: the policy and the limit, where it was one that no provider may be asked for.
    """

    code = "llm-unavailable"
    default_detail = "No language model answers at the moment; wait as long as Retry-After says."

    def __init__(self, retry_after: float = GONE_SECONDS, refused_by: tuple[str, str] | None = None) -> None:
        super().__init__(retry_after)
        self.refused_by = refused_by


def retry_after(seconds: float) -> tuple[bytes, bytes]:
    """The `Retry-After` header for a wait of `seconds`: whole seconds, at least 1."""
    return b"retry-after", b"%d" % max(1, math.ceil(seconds))
