"""`RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11)."""

import math

from service.limits import Decision

Headers = tuple[tuple[bytes, bytes], tuple[bytes, bytes]]


def rate_limit_headers(policy: str, decision: Decision) -> Headers:
    """The two fields for one decision.

    `t` is rounded up, so that a client which waits that long is admitted; `w` is whole seconds in the
    draft, so a shorter window is announced as one second.
    """
    quota = b'"%s";q=%d;w=%d' % (policy.encode(), decision.limit, max(1, math.ceil(decision.window)))
    state = b'"%s";r=%d;t=%d' % (policy.encode(), decision.remaining, max(1, math.ceil(decision.resets_in)))
    return (b"ratelimit-policy", quota), (b"ratelimit", state)
