"""What a call of a language model can fail with; texts are fixed, nothing of a provider's own is repeated."""

from collections.abc import Sequence


class LlmError(Exception):
    """A call that gave no complete answer.

    Attributes:
        kind: a slug for logs, metrics and problems, one of `KINDS`.
    """

    kind = "failed"


class InvalidCall(LlmError):
    """The provider refuses the request itself (400, 413): no other provider is asked, and it is not sent again."""

    kind = "invalid"


class TooLong(InvalidCall):
    """What is asked does not fit the model's window."""

    kind = "too_long"


class Refused(LlmError):
    """The model declined to answer."""

    kind = "refused"


class Unavailable(LlmError):
    """No provider could answer in time.

    Args:
        retry_after: seconds after which it is worth trying again; None: nobody said.
        reasons: why each attempt failed, slugs in order.
    """

    kind = "unavailable"

    def __init__(self, retry_after: float | None = None, reasons: Sequence[str] = ()) -> None:
        super().__init__("no provider answered")
        self.retry_after = retry_after
        self.reasons = tuple(reasons)


class Interrupted(LlmError):
    """The answer broke off after its first piece: it cannot be begun again elsewhere."""

    kind = "interrupted"


class Late(Interrupted):
    """It broke off because the time was over."""


class Overspent(LlmError):
    """A budget or a limit does not allow the call now.

    Args:
        limit: which one: `requests`, `tokens`, `concurrency` or `provider_budget`.
        retry_after: seconds until it may.
    """

    kind = "overspent"

    def __init__(self, limit: str, retry_after: float) -> None:
        super().__init__(f"the {limit} limit is reached")
        self.limit = limit
        self.retry_after = retry_after


class Withheld(LlmError):
    """The answer held what must not leave (a canary): it is ended."""

    kind = "withheld"


KINDS = tuple(kind.kind for kind in (InvalidCall, TooLong, Refused, Unavailable, Interrupted, Overspent, Withheld))
