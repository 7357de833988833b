"""One attempt at one provider: what a provider offers the router, and how an attempt fails."""

from collections.abc import AsyncIterator
from typing import Protocol

from service.llm.model import Call, Completion, Usage


class AttemptFailed(Exception):
    """A provider did not answer.

    Args:
        reason: why, one of `REASONS`.
        retry_after: seconds that the provider asks to be left alone for; None: it did not say.
        usage: what it cost all the same.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None, usage: Usage | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.usage = usage if usage is not None else Usage()


# The request's own fault: every provider would say the same.
INVALID, TOO_LARGE = "invalid", "too_large"
OWN_FAULT = frozenset({INVALID, TOO_LARGE})
# What may be better a moment later.
TRANSIENT = frozenset({"connect", "dropped", "malformed", "overloaded", "rate_limited", "server_error"})
# What will not: a key, a model, a silence that took its time already.
LASTING = frozenset({"endless", "first_token_timeout", "rejected", "timeout", "unauthorized", "unknown_model"})
# What costs nothing: nobody was reached, or nobody began to answer.
UNREAD = OWN_FAULT | {
    "connect",
    "overloaded",
    "rate_limited",
    "rejected",
    "server_error",
    "unauthorized",
    "unknown_model",
}
# There was an answer, and it is none for the caller: somebody else's may be.
REFUSED, WITHHELD = "refused", "withheld"
NOT_SHOWN = frozenset({REFUSED, WITHHELD})
# Why somebody is not asked at all.
BREAKER_OPEN, BUDGET = "breaker_open", "budget"
REASONS = tuple(sorted({*OWN_FAULT, *TRANSIENT, *LASTING, *NOT_SHOWN, BREAKER_OPEN, BUDGET}))


class PieceStream(Protocol):
    """An answer that comes in pieces."""

    @property
    def usage(self) -> Usage:
        """What it has taken so far, the output estimated until the provider says."""

    def __aiter__(self) -> AsyncIterator[str | Completion]:
        """Give the pieces, none of them empty, and the completion last.

        Raises:
            AttemptFailed: it broke off.
        """

    async def close(self) -> None:
        """End it at once, read or not."""


class Provider(Protocol):
    """Whoever speaks to a model.

    Attributes:
        name: by which it is known in settings, metrics and spans.
        model: the provider's name of the model it is asked for.
        address: host and port, for the span.
    """

    name: str
    model: str
    address: tuple[str, int]

    async def complete(self, call: Call) -> Completion:
        """Answer as a whole.

        Raises:
            AttemptFailed: there is no answer.
        """

    async def stream(self, call: Call) -> PieceStream:
        """Begin to answer piece by piece.

        Raises:
            AttemptFailed: it did not begin.
        """

    async def close(self) -> None:
        """Close all connections."""
