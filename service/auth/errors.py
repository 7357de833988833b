"""Why a token is not accepted. None of these texts holds anything of the token."""

from typing import Literal, get_args

Reason = Literal[
    "missing",
    "malformed",
    "oversized",
    "header",
    "algorithm",
    "unknown_key",
    "signature",
    "audience",
    "issuer",
    "claims",
    "expired",
    "not_yet_valid",
]
REASONS: tuple[str, ...] = get_args(Reason)


class TokenRefused(Exception):
    """A token is not accepted.

    Args:
        reason: one of a bounded set, for logs and metrics; the client is not told.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class KeysUnavailable(Exception):
    """There is no key to verify with, and it is not the token's fault.

    Args:
        retry_after: seconds until it is worth trying again.
    """

    def __init__(self, retry_after: float) -> None:
        super().__init__("no verification keys")
        self.retry_after = retry_after
