"""What a rate limiter promises, whatever keeps its counts."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Literal, NamedTuple, Protocol

Clock = Callable[[], float]


class Policy(Protocol):
    """The part of a rate limit policy that counting needs."""

    @property
    def limit(self) -> int:
        """Requests admitted in any window, at least 1."""

    @property
    def window(self) -> float:
        """Length of the window in seconds, above 0."""


class Decision(NamedTuple):
    """Whether a request is admitted, and what its caller may expect next.

    Attributes:
        allowed: the request is (or, from `peek`, would be) admitted.
        limit: requests admitted in any window.
        remaining: requests that would still be admitted now.
        resets_in: seconds until more than `remaining` are admitted; the whole window when none is counted.
        window: seconds.
    """

    allowed: bool
    limit: int
    remaining: int
    resets_in: float
    window: float


class Limiter(Protocol):
    """Counts requests by policy and key. Asynchronous, for counts may be kept outside the process."""

    async def hit(self, policy: str, key: str) -> Decision:
        """Count one request of `key` under `policy`, if it is admitted."""

    async def peek(self, policy: str, key: str) -> Decision:
        """Say what `hit` would decide, without counting."""


class TokenPolicy(Protocol):
    """The part of a policy that a budget of tokens needs."""

    @property
    def tokens(self) -> int | None:
        """Tokens in any window, at least 1; None is no budget."""

    @property
    def window(self) -> float:
        """Length of the window in seconds, above 0."""


class SlotPolicy(Protocol):
    """The part of a policy that limiting concurrency needs."""

    @property
    def concurrency(self) -> int | None:
        """Calls at the same time, at least 1; None is no limit."""


class Refusal(NamedTuple):
    """Why tokens could not be reserved, and when they may be.

    Attributes:
        reason: `spent`: what was spent leaves no room; `open`: what others have reserved leaves none;
            `too_large`: it is more than the whole budget, and never fits.
        retry_after: seconds. After `spent` it fits then, unless others reserve before, and not earlier
            unless a reservation is settled. After `open` nobody knows when it fits: this is the wait that
            is left even if all reservations are settled now with nothing used; often 0. After
            `too_large` the whole window, for want of a better number.
    """

    reason: Literal["spent", "open", "too_large"]
    retry_after: float


class Reservation(Protocol):
    """Tokens that are set aside until it is known how many were used."""

    async def settle(self, tokens: int) -> int:
        """Count what was used in the reservation's place, more or fewer than reserved; the first call decides.

        It happens also when the caller is cancelled: whoever has to wait for something shields it.

        Args:
            tokens: used. Providers say this number, so a nonsensical one is no error that would keep
                the reservation open: it is brought into range.

        Returns:
            The tokens that were counted: 0 for all calls but the first.
        """


class Budget(Protocol):
    """Counts tokens by policy and key."""

    async def reserve(self, policy: str, key: str, tokens: int) -> Reservation | Refusal:
        """Set `tokens` aside for `key` under `policy`, if they fit.

        Raises:
            ValueError: negative tokens.
        """


class Slots(Protocol):
    """Counts by policy and key what runs at the same time."""

    async def acquire(self, policy: str, key: str) -> AbstractAsyncContextManager[None] | None:
        """Take a slot, which leaving the context frees, also when cancelled; None where all are taken."""
