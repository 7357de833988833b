"""Places at work: so many at a time, and whoever waits for something of their own leaves theirs to others."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Places:
    """A semaphore whose places can be left for a while.

    Args:
        count: how many there are.
    """

    def __init__(self, count: int) -> None:
        self._count = self._free = count
        self._newcomers: deque[asyncio.Future[None]] = deque()
        self._returning: deque[asyncio.Future[None]] = deque()

    @property
    def taken(self) -> int:
        """How many are."""
        return self._count - self._free

    @asynccontextmanager
    async def place(self) -> AsyncIterator["Place"]:
        """Have a place while the context is open; waits for one, behind those who come back to theirs."""
        await self._take(self._newcomers)
        place = Place(self)
        try:
            yield place
        finally:
            if place.held:
                self._give_back()

    async def _take(self, line: deque[asyncio.Future[None]]) -> None:
        # While one is free nobody waits: it is handed on to whoever does.
        if self._free:
            self._free -= 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if not mine.cancelled():
                self._give_back()
            raise

    def _give_back(self) -> None:
        for line in (self._returning, self._newcomers):
            while line:
                theirs = line.popleft()
                if not theirs.done():
                    theirs.set_result(None)
                    return
        self._free += 1


class Place:
    """One that somebody has.

    Args:
        places: of which it is.

    Attributes:
        held: whether it is not left.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self.held = True

    @asynccontextmanager
    async def left(self) -> AsyncIterator[None]:
        """Leave it to others while the context is open, and be next in line behind it; an error does not come back."""
        self.held = False
        self._places._give_back()  # noqa: SLF001 - its own
        yield
        await self._places._take(self._places._returning)  # noqa: SLF001 - its own
        self.held = True
