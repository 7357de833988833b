"""Limits of requests that hold for all processes together."""

from collections.abc import Mapping
from dataclasses import dataclass
from struct import pack

from service.limits.limiter import Decision, Policy
from service.limits.redis.group_commit import GroupCommit, Verdict
from service.limits.redis.key_names import KeyNames
from service.limits.redis.link import framed
from service.limits.redis.own_counts import OwnCounts
from service.limits.redis.standing import Standing
from telemetry import names
from telemetry.server_span import describe

_BY_REDIS = {names.ATTR_RATE_LIMIT_BACKEND: "redis"}
_BY_SHARE = {names.ATTR_RATE_LIMIT_BACKEND: "share"}
_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class _Rule:
    limit: int
    window: float
    hit: bytes
    peek: bytes

    def decision(self, verdict: Verdict) -> Decision:
        resets_in = self.window - max(verdict.now - verdict.oldest, 0.0) / _MICROSECONDS
        # In the middle of a deployment another process may still admit more.
        remaining = max(self.limit - verdict.used, 0)
        return Decision(verdict.admitted, self.limit, remaining, resets_in, self.window)


class RedisLimiter:
    """A sliding window over `policies`, in Redis; by this process's own share where there is no answer in time.

    Args:
        policies: limit and window (seconds) by policy name.
        key_names: of keys.
        commit: asks Redis.
        own: what this process has admitted.
        standing: whether to ask.
    """

    def __init__(
        self,
        policies: Mapping[str, Policy],
        *,
        key_names: KeyNames,
        commit: GroupCommit,
        own: OwnCounts,
        standing: Standing,
    ) -> None:
        self._rules = {name: _rule(policy) for name, policy in policies.items()}
        self._digest = key_names.digest
        self._name = key_names.window
        self._ask = commit.ask
        self._own = own
        self._standing = standing

    async def hit(self, policy: str, key: str) -> Decision:
        """Count one request of `key` under `policy`, if it is admitted.

        Raises:
            KeyError: no such policy.
        """
        return await self._decide(policy, key, count=True)

    async def peek(self, policy: str, key: str) -> Decision:
        """Say what `hit` would decide, without counting.

        Raises:
            KeyError: no such policy.
        """
        return await self._decide(policy, key, count=False)

    async def _decide(self, policy: str, key: str, *, count: bool) -> Decision:
        rule, digest = self._rules[policy], self._digest(key)
        argument = rule.hit if count else rule.peek
        verdict = await self._ask(self._name(policy, digest), argument) if self._standing.up else None
        if verdict is None:
            return self._by_share(policy, digest, count=count)
        if count and verdict.admitted:
            self._own.count(policy, digest, verdict.now / _MICROSECONDS)
        describe(_BY_REDIS)
        return rule.decision(verdict)

    def _by_share(self, policy: str, digest: bytes, *, count: bool) -> Decision:
        self._standing.unanswered()
        describe(_BY_SHARE)
        return self._own.decide(policy, digest, count=count)


def _rule(policy: Policy) -> _Rule:
    window = policy.window * _MICROSECONDS
    arguments = (framed(pack(">ddB", policy.limit, window, counts)) for counts in (1, 0))
    return _Rule(policy.limit, policy.window, *arguments)
