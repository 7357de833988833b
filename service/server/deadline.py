"""One thing at a time that is due on a connection."""

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable


class Deadline:
    """A timer that can be set again.

    Args:
        loop: The connection's.
    """

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: TimerHandle | None = None

    @property
    def armed(self) -> bool:
        """Say whether something is due."""
        return self._timer is not None

    def arm(self, seconds: float, then: Callable[[], None]) -> None:
        """Call `then` in so many seconds, instead of what was due."""
        self.disarm()
        self._timer = self._loop.call_later(seconds, self._due, then)

    def disarm(self) -> None:
        """Nothing is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self, then: Callable[[], None]) -> None:
        self._timer = None
        then()
