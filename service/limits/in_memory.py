"""The limiter of a single process, telling when it has more keys than it keeps apart."""

from collections.abc import Callable, Mapping

from service.limits.limiter import Policy
from service.limits.metrics import Metrics
from service.limits.sliding_window import SlidingWindow
from telemetry import get_logger, names

log = get_logger(__name__)


def in_memory_limiter(policies: Mapping[str, Policy], metrics: Callable[[], Metrics]) -> SlidingWindow:
    """Make a sliding window over `policies`.

    Args:
        policies: limit and window by policy name.
        metrics: gives where overflows are counted; called when there is one.
    """

    def overflowed(policy: str) -> None:
        log.warning(names.RATE_LIMIT_OVERFLOWED, policy=policy)
        metrics().counter(names.RATE_LIMIT_OVERFLOWS, policy).inc()

    return SlidingWindow(policies, on_overflow=overflowed)
