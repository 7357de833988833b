"""What a call takes, attempt by attempt: said to everybody who pays for it, and to its record."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from service.llm.attempt import UNREAD, AttemptFailed
from service.llm.model import Call, CallersCharge, Charge, Usage
from service.llm.records import CallRecord
from service.llm.tokens import estimate_input, reserve


class Nobody:
    """Pays for a call that no caller has asked for."""

    def used(self, tokens: int) -> None:
        """Hear it."""

    async def afford(self, tokens: int) -> None:
        """Have it."""


class Bill:
    """One call's. Who asks nobody pays nothing; every attempt counts, whatever came of it.

    Args:
        call: what is asked.
        record: told of the attempts that gave no answer.
        charge: the caller's, told of all attempts together.

    Attributes:
        call: what is asked.
        record: of the call.
    """

    def __init__(self, call: Call, record: CallRecord, charge: CallersCharge) -> None:
        self.call, self.record = call, record
        self._charge = charge
        self._earlier = 0

    async def afford(self) -> None:
        """See that the caller can pay for one more attempt, besides those that were paid for.

        Raises:
            Overspent: the caller's limit does not allow it.
        """
        if self._earlier:
            await self._charge.afford(self._earlier + reserve(self.call))

    @contextmanager
    def attempt(self, charge: Charge) -> Iterator["Taken"]:
        """One attempt, from before it is sent until its answer is read, or left.

        Args:
            charge: the provider's, told of this attempt alone.
        """

        def pay(tokens: int) -> None:
            charge.used(tokens)
            self._charge.used(self._earlier + tokens)

        taken = Taken(estimate_input(self.call), pay)
        try:
            yield taken
        except AttemptFailed as failed:
            taken.so_far(failed.usage, failed.reason)
            raise
        finally:
            self._earlier += taken.usage.total
            self.record.took(taken.usage, estimated=taken.estimated)


class Taken:
    """What one attempt has taken so far: its input by estimate, until somebody knows.

    Args:
        estimate: tokens of the input.
        pay: told of all tokens, whenever they change.

    Attributes:
        usage: it.
        estimated: whether nobody has said what the input is.
    """

    def __init__(self, estimate: int, pay: Callable[[int], None]) -> None:
        self._estimate, self._pay = estimate, pay
        self.so_far(Usage())

    def so_far(self, usage: Usage, reason: str = "") -> None:
        """Take note of what is known.

        Args:
            usage: what the provider says; none: nothing.
            reason: why there is no answer; what was refused unread costs nothing.
        """
        # Some that speak the API begin a stream with zeros, and say what it was at its end only.
        self.estimated = usage.total == usage.output_tokens
        if self.estimated and reason not in UNREAD:
            usage = replace(usage, input_tokens=self._estimate)
        self.usage = usage
        self._pay(usage.total)
