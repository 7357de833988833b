"""What runs at the same time, in memory, for one process. Memory is taken by what runs, not by who ever came."""

import math
from collections.abc import Mapping
from types import TracebackType

from service.limits.digest import digest
from service.limits.limiter import SlotPolicy


class Concurrency:
    """Slots of several policies.

    Args:
        policies: the limit by policy name.
    """

    def __init__(self, policies: Mapping[str, SlotPolicy]) -> None:
        self._limits = {
            name: math.inf if policy.concurrency is None else policy.concurrency for name, policy in policies.items()
        }
        self._taken: dict[str, dict[bytes, int]] = {name: {} for name in policies}

    async def acquire(self, policy: str, key: str) -> "Lease | None":
        """Take a slot of `key` under `policy`; None where all are taken.

        Raises:
            KeyError: no such policy.
        """
        taken = self._taken[policy]
        owner = digest(key)
        if taken.get(owner, 0) >= self._limits[policy]:
            return None
        return Lease(taken, owner)

    def in_use(self, policy: str) -> int:
        """How many slots of `policy` are taken, of all keys together."""
        return sum(self._taken[policy].values())

    def keys(self, policy: str) -> int:
        """How many keys of `policy` are in memory."""
        return len(self._taken[policy])


class Lease:
    """A taken slot: `async with` frees it, or `release`; only once, however often it is asked for.

    Args:
        taken: slots by owner; one more is the owner's from now on.
        owner: digest of a key.
    """

    __slots__ = ("_owner", "_taken")

    def __init__(self, taken: dict[bytes, int], owner: bytes) -> None:
        self._taken: dict[bytes, int] | None = taken
        self._owner = owner
        taken[owner] = taken.get(owner, 0) + 1

    def release(self) -> None:
        """Free the slot."""
        taken, self._taken = self._taken, None
        if taken is None:
            return
        left = taken.pop(self._owner) - 1
        if left:
            taken[self._owner] = left

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
