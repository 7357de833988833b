"""A circuit breaker (M. Nygard, Release It!, 2007): a provider that keeps failing is left alone for a while."""

import random
from collections.abc import Callable
from enum import Enum, auto

from service.limits import Clock

FAILURES = 5
"""As many failures one after the other open it."""

_FIRST_REST, _LONGEST_REST = 5.0, 60.0


class Breaker:
    """The state of one provider.

    Closed, every call may try. After `FAILURES` failures in a row it is open, and none may; after a rest that doubles
    each time, and is drawn from its upper half so that processes do not come back together, one call may try. Its
    success closes the breaker, its failure opens it again.

    Args:
        clock: monotonic seconds.
        changed: told whether it is open, whenever that changes.
        jitter: gives numbers from 0 to 1.
    """

    def __init__(
        self, clock: Clock, changed: Callable[[bool], None], jitter: Callable[[], float] = random.random
    ) -> None:
        self._clock, self._changed, self._jitter = clock, changed, jitter
        self._failures = 0
        self._rests = 0
        self._until = 0.0
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether it is left alone, but for a single call."""
        return self._failures >= FAILURES

    def admit(self) -> "Admitted | None":
        """Let a call try, or not; who is let has to tell how it went."""
        if not self.is_open:
            return Admitted.USUAL
        if self._probing or self._clock() < self._until:
            return None
        self._probing = True
        return Admitted.PROBE

    def rests_for(self) -> float:
        """Give the seconds until a call may try again."""
        return max(self._until - self._clock(), 0.0) if self.is_open else 0.0

    def succeeded(self) -> None:
        """Take note of an answer, whatever it was: the provider is there."""
        was_open = self.is_open
        self._failures = self._rests = 0
        self._probing = False
        if was_open:
            self._changed(False)

    def failed(self, admitted: "Admitted", rest: float | None = None) -> None:
        """Take note of a failure.

        Args:
            admitted: as what the call was let. Of those that were under way when it opened none prolongs the rest.
            rest: seconds for which the provider asked to be left alone. Who says an hour may be back in a minute, and
                one call is not too much to find that out.
        """
        was_open = self.is_open
        if was_open and admitted is not Admitted.PROBE:
            return
        self._probing = False
        self._failures += 1
        if not self.is_open:
            return
        longest = min(_FIRST_REST * 2**self._rests, _LONGEST_REST)
        self._rests += 1
        self._until = self._clock() + min(max(longest * (1 + self._jitter()) / 2, rest or 0.0), _LONGEST_REST)
        if not was_open:
            self._changed(True)

    def abandoned(self, admitted: "Admitted") -> None:
        """Take note that a call ended before anybody knew: its caller has left."""
        if admitted is Admitted.PROBE:
            self._probing = False


class Admitted(Enum):
    """As what a call may try: one of many, or the one that finds out."""

    USUAL = auto()
    PROBE = auto()
