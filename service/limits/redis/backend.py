"""Limits over Redis, put together."""

from collections.abc import Callable, Mapping

from service.limits.backend import BackendUnusable, Deciding
from service.limits.in_memory import overflowed
from service.limits.limiter import Policy
from service.limits.metrics import Metrics
from service.limits.redis.group_commit import GroupCommit
from service.limits.redis.keeper import Keeper
from service.limits.redis.key_names import KeyNames
from service.limits.redis.limiter import RedisLimiter
from service.limits.redis.link import Link
from service.limits.redis.own_counts import OwnCounts
from service.limits.redis.reasons import UNUSABLE
from service.limits.redis.script import load
from service.limits.redis.standing import SETTING, Standing


class RedisBackend:
    """Keeps the counts of all processes in one Redis or Valkey; each goes by its share while there is no answer.

    Args:
        url: of the server.
        policies: limit and window (seconds) by policy name.
        secret: what the names of keys are made with; the same in all processes.
        metrics: gives where it is told; called from the start on.
        deadline: seconds that a decision may wait for an answer.
    """

    def __init__(
        self,
        url: str,
        policies: Mapping[str, Policy],
        *,
        secret: bytes,
        metrics: Callable[[], Metrics],
        deadline: float,
    ) -> None:
        self._link = Link(url)
        key_names = KeyNames(secret)
        own = OwnCounts(policies, overflowed(metrics))
        self._standing = Standing(metrics)
        self._keeper = Keeper(self._link, key_names, standing=self._standing, own=own, deadline=deadline)
        self._commit = GroupCommit(self._link, load("sliding_window"), deadline=deadline, failed=self._keeper.fell)
        self.limiter = RedisLimiter(
            policies, key_names=key_names, commit=self._commit, own=own, standing=self._standing
        )

    async def start(self) -> None:
        """Reach Redis; one that is only away is none that keeps the service from starting.

        Raises:
            BackendUnusable: it is there, and cannot be used.
        """
        self._standing.report()
        reason = await self._keeper.start()
        if reason is not None and reason in UNUSABLE:
            await self.close()
            raise BackendUnusable(SETTING, reason)

    async def close(self) -> None:
        """Answer whoever still waits, and close the connection."""
        await self._keeper.stop()
        self._commit.give_up()
        await self._link.close()

    def deciding(self) -> Deciding:
        """Say who decides at the moment."""
        return Deciding("redis" if self._standing.up else "share", self._standing.reason)
