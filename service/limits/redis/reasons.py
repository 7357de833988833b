"""Why Redis gave no answer: a bounded set, and never the server's or the driver's own words."""

from enum import StrEnum
from ssl import SSLCertVerificationError

from redis import exceptions


class Reason(StrEnum):
    """Each is a sentence's end, fit for a log line and a probe: `REDIS_URL: ...`."""

    TIMEOUT = "no answer within the deadline"
    UNREACHABLE = "nothing answers there"
    CERTIFICATE = "the server's certificate is not trusted"
    NOT_REDIS = "what answers there is not Redis"
    CREDENTIALS = "the server does not accept this user and password"
    PERMISSION = "the user may not run scripts, or not on these keys"
    DATABASE = "the server has no database of this number"
    NO_SCRIPTS = "the server does not know scripts (EVAL, EVALSHA)"
    READ_ONLY = "the server is a read-only replica; the primary is needed"
    OTHER_NODE = "the keys belong to another node of the cluster"
    MEMORY = "the server's maxmemory is reached, and it evicts nothing"
    NOT_YET = "the server is loading, or has no primary"
    REFUSED = "the server refused a script"


UNUSABLE = frozenset(
    {
        Reason.CERTIFICATE,
        Reason.NOT_REDIS,
        Reason.CREDENTIALS,
        Reason.PERMISSION,
        Reason.DATABASE,
        Reason.NO_SCRIPTS,
        Reason.READ_ONLY,
        Reason.OTHER_NODE,
    }
)
"""What time does not mend: whoever starts with it is told at once."""

# Of two that fit, the first; subclasses stand before what they are.
_BY_CLASS: tuple[tuple[type[Exception], Reason], ...] = (
    (exceptions.AuthenticationError, Reason.CREDENTIALS),
    (exceptions.NoPermissionError, Reason.PERMISSION),
    (exceptions.ReadOnlyError, Reason.READ_ONLY),
    (exceptions.OutOfMemoryError, Reason.MEMORY),
    (exceptions.ClusterDownError, Reason.NOT_YET),
    (exceptions.MasterDownError, Reason.NOT_YET),
    (exceptions.BusyLoadingError, Reason.NOT_YET),
    (exceptions.AskError, Reason.OTHER_NODE),
    (exceptions.InvalidResponse, Reason.NOT_REDIS),
    (exceptions.TimeoutError, Reason.TIMEOUT),
    (exceptions.ConnectionError, Reason.UNREACHABLE),
    (exceptions.ResponseError, Reason.REFUSED),
)


class Gone(Exception):
    """Redis gave no answer.

    Attributes:
        reason: why.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def reason_of(error: Exception) -> Reason:
    """Why a call of the driver failed."""
    if isinstance(error.__context__, SSLCertVerificationError):
        return Reason.CERTIFICATE
    if isinstance(error, exceptions.ResponseError):
        text = str(error).lower()
        if "db index" in text:
            return Reason.DATABASE
        if "unknown command" in text:
            return Reason.NO_SCRIPTS
    return next((reason for kind, reason in _BY_CLASS if isinstance(error, kind)), Reason.UNREACHABLE)
