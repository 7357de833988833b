"""What a rate limiter promises, whatever keeps its counts."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

Clock = Callable[[], float]


class Policy(Protocol):
    """The part of a rate limit policy that counting needs."""

    @property
    def limit(self) -> int:
        """Requests admitted in any window, at least 1."""

    @property
    def window(self) -> float:
        """Length of the window in seconds, above 0."""


class Decision(NamedTuple):
    """Whether a request is admitted, and what its caller may expect next.

    Attributes:
        allowed: the request is (or, from `peek`, would be) admitted.
        limit: requests admitted in any window.
        remaining: requests that would still be admitted now.
        resets_in: seconds until more than `remaining` are admitted; the whole window when none is counted.
        window: seconds.
    """

    allowed: bool
    limit: int
    remaining: int
    resets_in: float
    window: float


class Limiter(Protocol):
    """Counts requests by policy and key. Asynchronous, for counts may be kept outside the process."""

    async def hit(self, policy: str, key: str) -> Decision:
        """Count one request of `key` under `policy`, if it is admitted."""

    async def peek(self, policy: str, key: str) -> Decision:
        """Say what `hit` would decide, without counting."""
