"""An exact sliding window in memory, for one process.

A hit at `t` is admitted if fewer than `limit` admitted hits lie in `(t - window, t]`: no fixed windows
whose edges admit twice the limit, no estimates. Refused hits are not counted.

Memory, as growth of the process with 1,000,000 keys under one policy (CPython 3.11): 122 bytes a key
with one hit, 187 with two, 219 with three, then about 9 a hit. The bound is 160 MB for 1,000,000 keys
of one hit each; `MAX_KEYS` bounds the keys of a policy, and the hits of a key are bounded by its limit.
"""

import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Union

from service.limits.digest import OVERFLOW, digest
from service.limits.limiter import Clock, Decision, Policy

MAX_KEYS = 1_000_000

Hits = Union[float, "array[float]"]


class SlidingWindow:
    """Sliding windows of several policies.

    Args:
        policies: limit and window (seconds) by policy name.
        clock: seconds; must never go backwards.
        max_keys: keys a policy keeps apart; further ones share one count, so that a flood of keys is
            limited rather than admitted. What a key had in the shared count stays there.
        on_overflow: called with the policy's name, once for each time it overflows.
    """

    def __init__(
        self,
        policies: Mapping[str, Policy],
        *,
        clock: Clock = time.monotonic,
        max_keys: int = MAX_KEYS,
        on_overflow: Callable[[str], None] = lambda _policy: None,
    ) -> None:
        self._clock = clock
        now = clock()
        self._windows = {
            name: Window(policy, now, max_keys, partial(on_overflow, name)) for name, policy in policies.items()
        }
        self._sweep_every = min((policy.window for policy in policies.values()), default=0.0)
        self._next_sweep = now + self._sweep_every

    async def hit(self, policy: str, key: str) -> Decision:
        """Count one request of `key` under `policy`, if it is admitted.

        Raises:
            KeyError: no such policy.
        """
        now = self._clock()
        return self._window(policy, now).decide(digest(key), now, count=True)

    async def peek(self, policy: str, key: str) -> Decision:
        """Say what `hit` would decide, without counting.

        Raises:
            KeyError: no such policy.
        """
        now = self._clock()
        return self._window(policy, now).decide(digest(key), now, count=False)

    def keys(self, policy: str) -> int:
        """How many keys of `policy` are in memory."""
        return len(self._windows[policy])

    def _window(self, policy: str, now: float) -> "Window":
        if now >= self._next_sweep:
            # A policy without traffic gives its memory back through the traffic of the others.
            self._next_sweep = now + self._sweep_every
            for window in self._windows.values():
                window.rotate(now)
        return self._windows[policy]


class Window:
    """One policy's admitted hits by key, in two generations.

    A generation lasts at least one window, and a hit moves its key into the young one. When the young
    one becomes the old one, the keys of the former old one were last hit before the young one began:
    outside every window, so the whole dictionary is dropped and nothing is lost.
    """

    def __init__(self, policy: Policy, now: float, max_keys: int, on_overflow: Callable[[], None]) -> None:
        self.limit = policy.limit
        self._length = policy.window
        self._max_keys = max_keys
        self._on_overflow = on_overflow
        self._overflowing = False
        self._young: dict[bytes, Hits] = {}
        self._old: dict[bytes, Hits] = {}
        self._young_since = now

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def since(self, moment: float) -> Iterator[tuple[bytes, Sequence[float]]]:
        """The keys that were hit at `moment` or later, with the times of all their hits that are still held."""
        for key, held in [*self._old.items(), *self._young.items()]:
            hits = (held,) if isinstance(held, float) else held
            if hits[-1] >= moment:
                yield key, hits

    def rotate(self, now: float) -> None:
        """Drop what lies outside every window."""
        cutoff = now - self._length
        if self._young_since <= cutoff:
            self._old, self._young, self._young_since = self._young, {}, now
            self._overflowing = False

    def decide(self, key: bytes, now: float, *, count: bool) -> Decision:
        """Judge one hit of `key` at `now`, and keep it if `count` and it is admitted."""
        self.rotate(now)
        cutoff = now - self._length
        hits = self._young.get(key)
        if hits is None:
            hits = self._old.get(key)
            if hits is None and len(self) >= self._max_keys and key is not OVERFLOW:
                return self._share(now, count=count)
        used, oldest = 0, now
        if isinstance(hits, float):
            if hits > cutoff:
                used, oldest = 1, hits
        elif hits is not None:
            del hits[: bisect_right(hits, cutoff)]
            if hits:
                used, oldest = len(hits), hits[0]
        allowed = used < self.limit
        if allowed and count:
            if used == 0 or hits is None:
                self._young[key] = now
            elif isinstance(hits, float):
                self._young[key] = array("d", (hits, now))
            else:
                hits.append(now)
                self._young[key] = hits
            self._old.pop(key, None)
            used += 1
        return Decision(allowed, self.limit, self.limit - used, oldest + self._length - now, self._length)

    def _share(self, now: float, *, count: bool) -> Decision:
        if not self._overflowing:
            self._overflowing = True
            self._on_overflow()
        return self.decide(OVERFLOW, now, count=count)
