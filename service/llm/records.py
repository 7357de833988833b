"""What the router tells of a call, and asks for its money: the parts of telemetry and limits that it needs."""

from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Protocol, Self

from service.llm.attempt import Provider
from service.llm.model import Call, Charge, Completion, Usage


class CallRecord(Protocol):
    """The record of one call: one CLIENT span and the metrics. Leaving its context closes it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def noted(self, reason: str) -> None:
        """Why the provider that is asked has not answered, or is not asked after all."""

    def retrying(self, reason: str, pause: float) -> None:
        """It will be asked again after a pause, in seconds."""

    def falling_over(self, following: Provider, reason: str) -> None:
        """The next one is asked."""

    def took(self, usage: Usage, *, estimated: bool) -> None:
        """So much has the attempt taken that gave no answer. After an end it changes nothing."""

    def first_token(self) -> None:
        """The answer has begun."""

    def succeeded(self, completion: Completion) -> None:
        """The answer is complete; what the attempt took is its usage."""

    def failed(self, kind: str) -> None:
        """There is none, or no more of it."""

    def left(self) -> None:
        """Nobody waits for the rest of it. After an end it changes nothing."""


class Recorder(Protocol):
    """Makes records."""

    def begin(self, call: Call, *, stream: bool) -> CallRecord:
        """A call begins."""

    def breaker(self, provider: str, is_open: bool) -> None:
        """A provider is left alone, or no longer."""


class Budgets(Protocol):
    """What providers may cost."""

    def provider(self, name: str, *, reserve: int) -> AbstractAsyncContextManager[Charge]:
        """Set tokens of a provider's budget aside while the context is open.

        Raises:
            Overspent: there are not so many.
        """
