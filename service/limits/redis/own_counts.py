"""The hits that this process admitted, whoever decided: what it goes by, and tells of, when Redis goes and returns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from time import monotonic, time

from service.limits.digest import OVERFLOW
from service.limits.limiter import Decision, Policy
from service.limits.redis.shares import Place
from service.limits.sliding_window import MAX_KEYS, Window


class OwnCounts:
    """A sliding window for each policy, on the server's clock as far as it is known.

    Args:
        policies: limit and window (seconds) by policy name.
        on_overflow: called with a policy's name when it has more keys than are kept apart.
    """

    def __init__(self, policies: Mapping[str, Policy], on_overflow: Callable[[str], None]) -> None:
        self._policies = policies
        self._latest = now = time()  # until the server says what time it is
        self._ahead = now - monotonic()
        self._windows = {
            name: Window(policy, now, MAX_KEYS, partial(on_overflow, name)) for name, policy in policies.items()
        }

    def set_clock(self, now: float) -> None:
        """Take the server's time (seconds) for this moment's."""
        self._ahead = now - monotonic()
        for window in self._windows.values():
            window.rotate(self.now())  # a policy without traffic gives its memory back

    def now(self) -> float:
        """The server's time in seconds; never goes back."""
        self._latest = max(self._latest, monotonic() + self._ahead)
        return self._latest

    def restrict(self, place: Place) -> None:
        """Admit the share of this place from now on, less what was admitted before."""
        for name, window in self._windows.items():
            window.limit = place.share(self._policies[name].limit)

    def release(self) -> None:
        """Only count, from now on."""
        for name, window in self._windows.items():
            window.limit = self._policies[name].limit

    def count(self, policy: str, digest: bytes, moment: float) -> None:
        """Count a hit that was admitted by Redis at a moment of its clock (seconds)."""
        self._latest = max(self._latest, moment)
        self._windows[policy].decide(digest, self._latest, count=True)

    def decide(self, policy: str, digest: bytes, *, count: bool) -> Decision:
        """Decide by the share. How long to wait is a guess: nobody knows when Redis is back."""
        decision = self._windows[policy].decide(digest, self.now(), count=count)
        # A caller's limit is still the policy's; what was admitted before may be more than the share.
        return decision._replace(limit=self._policies[policy].limit, remaining=max(decision.remaining, 0))

    def since(self, moment: float) -> Iterator[tuple[str, float, bytes, Sequence[float]]]:
        """Policy, window (seconds), digest and hits of the keys that were hit since then; hits in their window only."""
        for name, policy in self._policies.items():
            begin = self.now() - policy.window
            for digest, hits in self._windows[name].since(max(moment, begin)):
                if digest is not OVERFLOW:  # of whom nobody knows any more whose it is
                    yield name, policy.window, digest, [hit for hit in hits if hit > begin]
