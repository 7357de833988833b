"""A start that fails says why in one plain line."""

import logging

from uvicorn import Config
from uvicorn.lifespan.on import LifespanOn, LifespanSendMessage

from service.readiness import Readiness

_quiet = logging.getLogger(f"{__name__}.quiet")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


class StartFailedError(Exception):
    """The service did not come up; the reason is in the log, or is the text. One line."""


class QuietLifespan(LifespanOn):
    """Keeps quiet about a failure that is told in one plain line; uvicorn would show its traceback.

    Args:
        config: uvicorn's.
        readiness: Knows the failure.
    """

    def __init__(self, config: Config, readiness: Readiness) -> None:
        super().__init__(config)
        self._readiness = readiness

    async def send(self, message: LifespanSendMessage) -> None:
        """Take the application's word."""
        if message["type"] == "lifespan.startup.failed" and self._readiness.failure is not None:
            self.hush()
        await super().send(message)

    def hush(self) -> None:
        """Keep quiet from now on: the loop's end is going to cancel what did not end in time."""
        self.logger = _quiet
