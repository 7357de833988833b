"""Counts a request under a policy and tells it everywhere: metrics, record, log and response.

The fields are `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11).
"""

import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from service.errors import RateLimited
from service.limits import Decision, DecisionMetrics, Limiter, Metrics
from telemetry import RequestRecord, get_logger, names

Headers = tuple[tuple[bytes, bytes], tuple[bytes, bytes]]

_IPV6_SITE = 64

log = get_logger(__name__)


class RequestLimit:
    """What a layer limits requests with.

    Args:
        limiter: keeps the counts.
        policies: names of the policies that exist; their metrics exist at 0 from the start.
        metrics: gives where the decisions are counted; called when the layer is built, since the
            telemetry that has them is made with the layers.
    """

    def __init__(self, limiter: Limiter, policies: Iterable[str], metrics: Callable[[], Metrics]) -> None:
        self._limiter = limiter
        self._count = DecisionMetrics(metrics(), policies).count

    async def hit(self, record: RequestRecord, policy: str) -> None:
        """Count one request of its principal, or of its client's address where there is none.

        Raises:
            RateLimited: over the limit.
        """
        principal = record.principal
        # The two name spaces are kept apart: a subject that looks like an address is not one.
        key = address_key(record.client) if principal is None else f"sub:{principal}"
        decision = await self._limiter.hit(policy, key)
        record.response_headers.extend(rate_limit_headers(policy, decision))
        self._count(policy, decision)
        record.rate_limit = "allowed" if decision.allowed else "refused"
        if not decision.allowed:
            log.info(names.RATE_LIMIT_REFUSED, policy=policy)
            raise RateLimited(policy, decision.limit, decision.window, decision.resets_in)


def rate_limit_headers(policy: str, decision: Decision) -> Headers:
    """The two fields for one decision.

    `t` is rounded up, so that a client which waits that long is admitted; `w` is whole seconds in the
    draft, so a shorter window is announced as one second.
    """
    quota = b'"%s";q=%d;w=%d' % (policy.encode(), decision.limit, max(1, math.ceil(decision.window)))
    state = b'"%s";r=%d;t=%d' % (policy.encode(), decision.remaining, max(1, math.ceil(decision.resets_in)))
    return (b"ratelimit-policy", quota), (b"ratelimit", state)


@lru_cache(maxsize=4096)
def address_key(client: str) -> str:
    """The limiter's key of a client address: IPv4 whole, IPv6 by its /64, which one customer owns.

    IPv4-mapped IPv6 counts as IPv4; what is no address (a Unix socket) as itself.
    """
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return f"client:{client}"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return f"ip:{address.ipv4_mapped}"
        return f"ip:{int(address) >> (128 - _IPV6_SITE):x}/{_IPV6_SITE}"
    return f"ip:{address}"
