"""What keeps the counts, by the settings."""

from collections.abc import Callable

from service.limits.backend import Backend
from service.limits.in_memory import MemoryBackend
from service.limits.metrics import Metrics
from service.settings import Settings

REDIS_DEADLINE_SECONDS = 0.05
"""How long a request may wait for Redis to decide."""


def configured_backend(settings: Settings, metrics: Callable[[], Metrics]) -> Backend:
    """Make what keeps the counts of requests.

    Args:
        settings: of the service.
        metrics: gives where it is told; called from the backend's start on.
    """
    if settings.redis_url is None:
        return MemoryBackend(settings.rate_limits, metrics)
    from service.limits.redis import RedisBackend  # noqa: PLC0415 - 7 MiB that others do without

    # Only commands that open nothing go without a key: production has one, and development makes one.
    secret = settings.telemetry.pseudonym_key or b""
    return RedisBackend(
        settings.redis_url,
        settings.rate_limits,
        secret=secret,
        metrics=metrics,
        deadline=REDIS_DEADLINE_SECONDS,
    )
