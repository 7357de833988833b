"""How a limit is shared out among processes, so that all shares add up to it."""

from collections import deque
from random import randrange
from typing import NamedTuple

HEARD = 3
"""Heartbeats that must agree before fewer processes are believed in."""
STRANGERS = 10
"""Processes that there are believed to be by one that has not been told."""


class Place(NamedTuple):
    """A process among those that count together.

    Attributes:
        rank: how many stand before it.
        of: how many there are.
    """

    rank: int
    of: int

    def share(self, limit: int) -> int:
        """This one's part of `limit`; those of all places add up to it."""
        return limit // self.of + (self.rank < limit % self.of)


class Places:
    """The place that a process was told: of the last few heartbeats' the one among the most processes.

    When many start at once they are heard one by one, and the first must not take the whole limit for its own.
    """

    def __init__(self) -> None:
        self._told = deque([Place(randrange(STRANGERS), STRANGERS)], HEARD)  # noqa: S311 - no secret

    def tell(self, place: Place) -> None:
        """Take note of a heartbeat's answer."""
        self._told.append(place)

    @property
    def believed(self) -> Place:
        """The place to go by."""
        return max(reversed(self._told), key=lambda place: place.of)
