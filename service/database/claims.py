"""Keys that one piece of work at a time may hold, within this process."""

from collections.abc import Iterator
from contextlib import contextmanager


class Claimed(Exception):
    """Somebody else is at work under this key."""


class Claims:
    """The keys that are held; one at most for each request in flight."""

    def __init__(self) -> None:
        self._held: set[str] = set()

    @contextmanager
    def held(self, key: str) -> Iterator[None]:
        """Hold `key` for the block, however the block ends.

        Raises:
            Claimed: it is held already.
        """
        if key in self._held:
            raise Claimed
        self._held.add(key)
        try:
            yield
        finally:
            self._held.discard(key)
