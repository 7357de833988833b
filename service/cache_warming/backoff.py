"""How long to leave a failing provider alone: exponential, capped, with full jitter.

Source: "Exponential Backoff And Jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

import random

BASE_SECONDS = 4.0
CAP_SECONDS = 300.0
# What a provider asks for is honoured, but not for ever.
LONGEST_SECONDS = 3600.0
_DOUBLINGS = 16


class Backoff:
    """The pause of one provider.

    Attributes:
        until: the clock's reading before which it is left alone.
    """

    def __init__(self) -> None:
        self.until = float("-inf")
        self._failures = 0

    def failed(self, now: float, retry_after: float | None) -> None:
        """Begin a pause, a longer one after each failure in a row.

        Args:
            now: the clock's reading.
            retry_after: seconds that the failure asks for.
        """
        if now >= self.until:  # several calls that fail together are one failure
            self._failures += 1
            longest = min(BASE_SECONDS * 2 ** min(self._failures - 1, _DOUBLINGS), CAP_SECONDS)
            self.until = now + random.uniform(0, longest)  # noqa: S311 - spreads load, guards nothing
        if retry_after is not None:
            self.until = max(self.until, now + min(retry_after, LONGEST_SECONDS))

    def succeeded(self) -> None:
        """Begin anew with short pauses."""
        self._failures = 0
