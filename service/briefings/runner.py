"""Briefings in the background of this process: so many at a time, so many waiting, and on again after a restart."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import Any, Protocol
from weakref import WeakValueDictionary

from service.briefings.answers import InvalidAnswer
from service.briefings.places import Place, Places
from service.briefings.spans import Spans
from service.briefings.state import Result
from service.database import Database, insist
from service.database.models import Briefing
from service.domain import briefings
from service.domain.briefings import Draft, Superseded, Taken
from service.llm.background import Aside
from service.llm.errors import LlmError
from telemetry import get_logger, names

log = get_logger(__name__)

AT_A_TIME = 8
UNFINISHED = 100
UNFINISHED_OF_ONE = 4
DEADLINE_SECONDS = 300.0
MAX_ATTEMPTS = 5
"""A briefing that was begun so often may be what ends the process."""

STOP_SECONDS = 0.5
_INTERNAL = "internal"

OUTCOMES = [("done",), *((reason,) for reason in briefings.REASONS)]


class Full(Exception):
    """There is too much unfinished to take on more."""


class TooMany(Exception):
    """The owner has too many unfinished ones to ask for more."""


class Metrics(Protocol):
    """The part of the telemetry's metrics that the runner needs."""

    def counter(self, spec: names.Metric, *values: str) -> Any:  # noqa: ANN401 - has `inc()`
        """The counter of these label values."""

    def read(self, spec: names.Metric, *values: str, by: Callable[[], float]) -> None:
        """Let a gauge read its value when it is scraped."""


class Runner:
    """Works off briefings.

    Args:
        database: where they are kept.
        load: gives what writes one; called in a thread at the start, for its imports take most of a second.
        spans: told of each briefing.
        metrics: counts them.
        at_a_time: briefings that are worked on at once.
        deadline: seconds for one, each time it is taken up.
    """

    def __init__(
        self,
        database: Database,
        load: Callable[[], Callable[[Taken, Aside], Awaitable[Result]]],
        spans: Spans,
        metrics: Metrics,
        *,
        at_a_time: int = AT_A_TIME,
        deadline: float = DEADLINE_SECONDS,
    ) -> None:
        self._database = database
        self._load = load
        self._spans = spans
        self._metrics = metrics
        self._deadline = deadline
        self._places = Places(at_a_time)
        self._owners: dict[str, str] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        metrics.read(names.BRIEFINGS, "running", by=lambda: self._places.taken)
        metrics.read(names.BRIEFINGS, "queued", by=lambda: len(self._owners) - self._places.taken)

    async def start(self) -> None:
        """Be ready, and go on with what an earlier process left."""
        self._write = await asyncio.to_thread(self._load)
        left = await briefings.unfinished(self._database)
        for briefing_id, owner, attempt in left:
            self._owners[briefing_id] = owner
            self._spawn(briefing_id, attempt)
        if left:
            log.info(names.BRIEFINGS_RESUMED, count=len(left))

    async def stop(self) -> None:
        """Let go of everything; the next process goes on with it."""
        await self._cancel(self._tasks.values())

    async def submit(self, draft: Draft) -> Briefing:
        """Keep what is asked for and begin with it when there is room.

        Raises:
            Full: there is no room to wait.
            TooMany: the owner has had theirs.
            Unavailable: the database is gone or busy.
        """
        if len(self._owners) >= UNFINISHED:
            log.info(names.BRIEFING_REFUSED, reason="full")
            raise Full
        if list(self._owners.values()).count(draft.owner) >= UNFINISHED_OF_ONE:
            log.info(names.BRIEFING_REFUSED, reason="too_many")
            raise TooMany
        briefing_id = briefings.new_id()
        self._owners[briefing_id] = draft.owner
        try:
            return await briefings.add(self._database, briefing_id, draft, datetime.now(UTC))
        finally:
            # However that ended: it may have been kept although its request was cancelled.
            self._spawn(briefing_id, 0)

    async def cancel(self, briefing_ids: Collection[str]) -> None:
        """Stop the work on briefings that were erased, and wait until it has stopped."""
        await self._cancel([task for key in briefing_ids if (task := self._tasks.get(key)) is not None])

    @staticmethod
    async def _cancel(tasks: Collection[asyncio.Task[None]]) -> None:
        tasks = list(tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_SECONDS)

    def _spawn(self, briefing_id: str, attempt: int) -> None:
        task = asyncio.create_task(self._work(briefing_id, attempt), name=f"briefing {briefing_id}")
        self._tasks[briefing_id] = task
        task.add_done_callback(lambda _: self._forget(briefing_id))

    def _forget(self, briefing_id: str) -> None:
        del self._tasks[briefing_id], self._owners[briefing_id]

    async def _work(self, briefing_id: str, attempt: int) -> None:
        # One of an owner at a time, and while that waits for its owner's limits none: others have the places.
        turn = self._turns.setdefault(self._owners[briefing_id], asyncio.Lock())
        async with turn, self._places.place() as place:
            try:
                taken = await insist(lambda: briefings.take_up(self._database, briefing_id, attempt, _now()))
                if taken is not None:
                    await self._end(taken, await self._reason(taken, place))
            except Superseded:
                pass  # whoever has it now tells of it

    async def _end(self, taken: Taken, reason: str | None) -> None:
        if reason is not None:
            await insist(lambda: briefings.fail(self._database, taken, reason, _now()))
        self._metrics.counter(names.BRIEFINGS_FINISHED, reason or "done").inc()

    async def _reason(self, taken: Taken, place: Place) -> str | None:
        """Write and keep the result; why not, where that fails."""
        try:
            about = {names.ATTR_BRIEFING: taken.id, names.ATTR_BRIEFING_ATTEMPT: taken.attempt}
            with self._spans.background(names.SPAN_BRIEFING, taken.draft.traceparent, about):
                await self._told(taken, place)
        except _Failed as failure:
            return failure.reason
        return None

    async def _told(self, taken: Taken, place: Place) -> None:
        try:
            async with asyncio.timeout(self._deadline):
                await insist(lambda: self._finish(taken, place))
        except Superseded:
            raise
        except Exception as error:
            reason = _reason_of(error)
            log.warning(names.BRIEFING_FAILED, reason=reason, exc_info=error if reason == _INTERNAL else None)
            raise _Failed(reason) from error

    async def _finish(self, taken: Taken, place: Place) -> None:
        if taken.attempt > MAX_ATTEMPTS:
            raise _Failed("given_up")
        result = await self._write(taken, place.left)
        await briefings.finish(self._database, taken, result, _now())
        log.info(names.BRIEFING_DONE, briefing_id=taken.id, attempt=taken.attempt)


class _Failed(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _reason_of(error: Exception) -> str:
    match error:
        case _Failed() as failed:
            return failed.reason
        case TimeoutError():
            return "deadline"
        case LlmError():
            return error.kind
        case InvalidAnswer():
            return "invalid_answer"
    return _INTERNAL


def _now() -> datetime:
    return datetime.now(UTC)
