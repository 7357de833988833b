"""The heads of requests and answers: https://platform.claude.com/docs/en/api/overview and `/rate-limits`."""

import time
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from service.llm.simulated.errors import ApiError

# What this organization may do in a minute, as far as anyone is told.
_REQUESTS, _TOKENS = 4000, 400_000


def asked(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Give a request's headers by their names."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def credential(headers: Mapping[str, str]) -> str:
    """Give the key; where there are two, it is `x-api-key`.

    Raises:
        ApiError: there is none, or it is not good: one that begins with `invalid` is not.
    """
    given = headers.get("x-api-key")
    if given is None:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        given = given.strip() if scheme.lower() == "bearer" else ""
        if not given:
            raise ApiError(401, "x-api-key header is required")
    if not given or given.startswith("invalid"):
        raise ApiError(401)
    return given


def answered(request_id: str, status: int = 200, retry_after: str = "") -> list[tuple[bytes, bytes]]:
    """Give the headers of every answer of the API.

    Args:
        request_id: the answer's.
        status: its.
        retry_after: seconds; said with 429 and 529.
    """
    refused = status == 429  # noqa: PLR2004 - HTTP's
    reset = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    headers = {"request-id": request_id}
    for name, limit in (("requests", _REQUESTS), ("tokens", _TOKENS)):
        headers[f"anthropic-ratelimit-{name}-limit"] = str(limit)
        headers[f"anthropic-ratelimit-{name}-remaining"] = "0" if refused else str(limit - 1)
        headers[f"anthropic-ratelimit-{name}-reset"] = reset
    if status in (429, 529):
        headers["retry-after"] = retry_after
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


def identifier(kind: str, seed: int, number: int) -> str:
    """Give the id of the thing of that number, such as `msg_` and 24 digits."""
    return kind + "_" + blake2b(f"{kind} {seed} {number}".encode(), digest_size=12).hexdigest()
