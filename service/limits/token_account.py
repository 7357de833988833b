"""One key's tokens in a sliding window."""

from array import array
from bisect import bisect_left, bisect_right
from math import ulp


class TokenAccount:
    """What one key has spent and reserved.

    `totals` are running sums, so that both what a window holds and when enough of it has left are
    found by bisection; `gone` is the sum before the first of them.

    Attributes:
        open: reservations that are not settled.
        reserved: their tokens.
        times: of settlements, in seconds, ascending.
        totals: tokens settled up to each of them.
        gone: tokens settled before the first of them.
    """

    __slots__ = ("gone", "open", "reserved", "times", "totals")

    def __init__(self) -> None:
        self.open = self.reserved = self.gone = 0
        self.times = array("d")
        self.totals = array("q")

    def spent(self, cutoff: float) -> int:
        """The tokens settled after `cutoff` (seconds); what lies before is forgotten."""
        left = bisect_right(self.times, cutoff)
        if left:
            self.gone = self.totals[left - 1] if left < len(self.times) else 0
            del self.times[:left], self.totals[:left]
        return self.totals[-1] - self.gone if self.totals else 0

    def wait(self, tokens: int, now: float, window: float) -> float:
        """Seconds from `now` until so many of the spent tokens have left a window of `window` seconds."""
        if tokens <= 0:
            return 0.0
        last = self.times[bisect_left(self.totals, self.gone + tokens)]
        wait = last + window - now
        while now + wait - window < last:  # rounded down: who waits exactly so long must not come too early
            wait += ulp(last + window)
        return wait

    def spend(self, tokens: int, now: float, max_entries: int) -> None:
        """Settle `tokens` at `now`, in at most `max_entries` entries."""
        total = tokens + (self.totals[-1] if self.totals else self.gone)
        if self.times and self.times[-1] == now:
            self.totals[-1] = total
            return
        self.times.append(now)
        self.totals.append(total)
        if len(self.times) > max_entries:
            # Without its entry, a running sum only grows at the next one: those tokens count from then.
            del self.times[-2::-2], self.totals[-2::-2]
