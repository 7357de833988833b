"""Work that must not be lost to a database that is gone or busy for a moment."""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from itertools import chain, repeat
from typing import Any, TypeVar

from service.errors import Unavailable

_PAUSES = (0.5, 2.0, 5.0)

T = TypeVar("T")


async def insist(act: Callable[[], Coroutine[Any, Any, T]], seconds: float = math.inf) -> T:
    """Do it, again while the database is gone or busy.

    Args:
        act: does it; a try that failed may have come through unheard, as when a connection is lost during a commit.
        seconds: after which it is not begun again.

    Raises:
        Unavailable: the database still was when they were over.
    """
    ends = time.monotonic() + seconds
    for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
        try:
            return await act()
        except Unavailable:
            if time.monotonic() + pause > ends:
                raise
        await asyncio.sleep(pause)
    raise AssertionError  # the pauses have no end
