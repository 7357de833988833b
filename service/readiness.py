"""Whether this process wants traffic, and if not, why."""

from enum import StrEnum


class State(StrEnum):
    """A process goes through these once, in this order."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Readiness:
    """One process's state; lives at `app.state.readiness`. It never goes back.

    Attributes:
        state: Where the process is.
        failure: Why it will never be ready, in one line; None while there is hope.
    """

    def __init__(self) -> None:
        self.state = State.STARTING
        self.failure: str | None = None

    def started(self) -> None:
        """Resources are open. A process told to stop during its start stays told."""
        if self.state is State.STARTING:
            self.state = State.READY

    def drain(self) -> None:
        """No more traffic, please."""
        self.state = State.DRAINING
