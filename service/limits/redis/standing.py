"""Whether Redis decides; told when that changes, once."""

from collections.abc import Callable

from service.limits.metrics import Metrics
from service.limits.redis.reasons import Reason
from telemetry import get_logger, names

SETTING = "REDIS_URL"

log = get_logger(__name__)


class Standing:
    """Up or down; down, and silent about it, until Redis was asked for the first time.

    Args:
        metrics: gives where it is told; called when there is something to tell.

    Attributes:
        up: Redis decides.
        reason: why it does not; None: it does, or was not asked yet.
    """

    def __init__(self, metrics: Callable[[], Metrics]) -> None:
        self.up = False
        self.reason: Reason | None = None
        self._metrics = metrics

    def report(self) -> None:
        """Let the metrics exist."""
        self._metrics().counter(names.RATE_LIMIT_BACKEND_ERRORS)
        self._metrics().gauge(names.RATE_LIMIT_BACKEND_UP, "redis").set(self.up)

    def rise(self) -> None:
        """Redis has answered."""
        if self.reason is not None:
            log.info(names.RATE_LIMIT_BACKEND_BACK, setting=SETTING)
        self.up, self.reason = True, None
        self.report()

    def fall(self, reason: Reason, processes: int) -> None:
        """Redis has not answered.

        Args:
            reason: why.
            processes: among how many the limits are shared out now.
        """
        if self.reason is None:
            log.warning(names.RATE_LIMIT_BACKEND_GONE, setting=SETTING, reason=str(reason), processes=processes)
        self.up, self.reason = False, reason
        self.report()

    def unanswered(self) -> None:
        """A decision was made without Redis."""
        self._metrics().counter(names.RATE_LIMIT_BACKEND_ERRORS).inc()
