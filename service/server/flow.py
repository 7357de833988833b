"""Reads no more than can be served."""

from asyncio import Transport
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl


class Flow(FlowControl):
    """Reads on only if what would be read could be served: who sends on fills his own buffers, not ours.

    Args:
        transport: The connection's.
        servable: Says whether it could.
    """

    def __init__(self, transport: Transport, servable: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._servable = servable

    def resume_reading(self) -> None:
        """Read on, if it is of use."""
        if self._servable():
            super().resume_reading()

    def resume_discarding(self) -> None:
        """Read on all the same."""
        super().resume_reading()
