"""The slow service with little patience for a client that does not read; only tests run it."""

import sys

from service.server import protocol
from tests.service.run import slow_service


class Counting(protocol.Unread):
    """Counts looks, of which there is one a second: while the machine stands still there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._looks = 0

    def seconds(self, size: int, now: float) -> float:
        self._looks += 1
        return super().seconds(size, self._looks)


if __name__ == "__main__":
    protocol.Unread = Counting
    protocol.WRITE_TIMEOUT = 3
    sys.exit(slow_service.main())
