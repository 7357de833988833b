"""What keeps the counts of requests: this process, or a server that all processes share."""

from typing import Literal, NamedTuple, Protocol

from service.limits.limiter import Limiter


class Deciding(NamedTuple):
    """Who decides at the moment.

    Attributes:
        by: `memory`: this process, for itself; `redis`: all processes together; `share`: this process, by its share,
            for Redis does not answer.
        reason: why Redis does not.
    """

    by: Literal["memory", "redis", "share"]
    reason: str | None = None


class Backend(Protocol):
    """Keeps the counts between `start` and `close`."""

    @property
    def limiter(self) -> Limiter:
        """Counts requests."""

    async def start(self) -> None:
        """Open what is needed; tells metrics from now on.

        Raises:
            BackendUnusable: it never can be.
        """

    async def close(self) -> None:
        """Close it."""

    def deciding(self) -> Deciding:
        """Say who decides at the moment."""


class BackendUnusable(Exception):
    """The service cannot start with it. Its text is one line, without the setting's value.

    Args:
        setting: as the environment spells it.
        reason: of a bounded set.
    """

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(setting, reason)
        self.setting = setting
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.setting}: {self.reason}"
