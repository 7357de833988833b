"""Decisions that share round trips: those that come while one is under way make the next one."""

import asyncio
from collections.abc import Callable
from struct import Struct
from typing import NamedTuple

from service.limits.redis.link import Link
from service.limits.redis.reasons import Gone, Reason
from service.limits.redis.script import Script

MOST = 256
"""Decisions of one round trip: the server does nothing else meanwhile."""
OVERSLEPT = 0.01
"""A timer that comes later than this, in seconds, tells of this process, not of Redis."""
SECOND_LOOK = 0.01
"""How long an answer is then looked for once more, in seconds."""
_NOW, _VERDICT = Struct(">d"), Struct(">Bdd")


class Verdict(NamedTuple):
    """What Redis decided, in its own time.

    Attributes:
        now: when it decided, in microseconds.
        admitted: whether it counts, or would.
        used: hits in the window, this one included if it was counted.
        oldest: when the oldest of them was, in microseconds; `now` where there is none.
    """

    now: float
    admitted: bool
    used: int
    oldest: float


Answer = asyncio.Future[Verdict | None]


class GroupCommit:
    """Asks for decisions over one connection.

    Args:
        link: to Redis.
        script: decides for many keys.
        deadline: seconds that a decision may wait for its answer.
        failed: called with the reason when there was none in time.
    """

    def __init__(self, link: Link, script: Script, *, deadline: float, failed: Callable[[Reason], None]) -> None:
        self._link = link
        self._script = script
        self._deadline = deadline
        self._failed = failed
        self._waiting: list[tuple[bytes, bytes, Answer]] = []
        self._since = 0.0
        self._under_way: list[tuple[bytes, bytes, Answer]] = []
        self._trip: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, key: bytes, argument: bytes) -> Answer:
        """Ask for one decision; None is the answer if there is none within the deadline.

        Args:
            key: framed.
            argument: the script's for this key, framed.
        """
        loop = asyncio.get_running_loop()
        answer: Answer = loop.create_future()
        if not self._waiting:
            self._since = loop.time()
            if self._trip is None:
                loop.call_soon(self._depart)  # not at once: all that are about to ask come along
        self._waiting.append((key, argument, answer))
        return answer

    def give_up(self) -> None:
        """Answer None to all that wait."""
        if self._trip is not None:
            self._trip.cancel()
        self._arrived()
        left, self._under_way, self._waiting = [*self._under_way, *self._waiting], [], []
        for _, _, answer in left:
            if not answer.done():
                answer.set_result(None)

    def _depart(self) -> None:
        if self._trip is not None or not self._waiting:
            return
        self._under_way, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        loop = asyncio.get_running_loop()
        due = self._since + self._deadline
        self._timer = loop.call_at(due, self._late, due)
        self._trip = loop.create_task(self._travel())

    async def _travel(self) -> None:
        keys, arguments, answers = zip(*self._under_way, strict=True)
        try:
            reply: bytes = await self._link.call(self._script, keys, arguments)
        except Gone as gone:
            self._arrived()
            self._fail(gone.reason)
            return
        (now,) = _NOW.unpack_from(reply)
        for answer, (admitted, used, oldest) in zip(answers, _VERDICT.iter_unpack(reply[_NOW.size :]), strict=True):
            if not answer.done():  # whoever asked may have been cancelled
                answer.set_result(Verdict(now, admitted == 1, int(used), oldest))
        self._arrived()
        self._depart()

    def _late(self, due: float) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() - due > OVERSLEPT:
            # The event loop stood still: the answer may lie in the socket, and is looked for once more.
            again = loop.time() + SECOND_LOOK
            self._timer = loop.call_at(again, self._fail, Reason.TIMEOUT)
            return
        self._fail(Reason.TIMEOUT)

    def _fail(self, reason: Reason) -> None:
        self.give_up()
        self._failed(reason)

    def _arrived(self) -> None:
        self._trip = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
