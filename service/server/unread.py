"""Answers that nobody reads."""


class Unread:
    """Tells a client that reads slowly from one that does not read."""

    def __init__(self) -> None:
        self._bytes = 0
        self._since: float | None = None

    def forget(self) -> None:
        """Something was read."""
        self._since = None

    def seconds(self, size: int, now: float) -> float:
        """Say for how many seconds nothing was read.

        Args:
            size: Bytes that wait to be read; nothing is added to them.
            now: The loop's time.
        """
        if self._since is None or size < self._bytes:
            self._bytes, self._since = size, now
        return now - self._since
