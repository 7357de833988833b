"""An answer that is being given, from the first piece to the last or to its reader's leave."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from service.llm.attempt import REFUSED, WITHHELD, AttemptFailed, PieceStream
from service.llm.errors import Interrupted, Late, LlmError, Refused, Withheld
from service.llm.model import REFUSAL, Completion
from service.llm.records import CallRecord

First = tuple[PieceStream, str | Completion]
Begin = Callable[[AsyncExitStack], Awaitable[First]]


class Answer:
    """Iterates over pieces of text, none of them empty, and the completion last.

    It is no generator: what it has opened is closed where it is left, in the task that left it, which is the one that
    entered it.

    Args:
        begin: finds a provider, in time, and gives what it says first; what is to be closed it puts onto the stack.
        record: of the call.
        seconds: it may take in all.
    """

    def __init__(self, begin: Begin, record: CallRecord, seconds: float) -> None:
        self._begin, self._record, self._seconds = begin, record, seconds
        self._stack = AsyncExitStack()
        self._pieces: PieceStream | None = None
        self._first: str | Completion | None = None
        self._done = False

    async def __aenter__(self) -> Self:
        """Wait for the first piece.

        Raises:
            LlmError: no provider gives one.
        """
        self._record.__enter__()
        ends = asyncio.get_running_loop().time() + self._seconds
        try:
            self._pieces, self._first = await self._begin(self._stack)
            await self._stack.enter_async_context(asyncio.timeout_at(ends))
        except BaseException as error:
            await self._leave(error)
            raise
        self._record.first_token()
        return self

    def __aiter__(self) -> Self:
        """Give itself: there is one reader."""
        return self

    async def __anext__(self) -> str | Completion:
        """Give the next piece.

        Raises:
            Interrupted: it broke off.
            Refused: the model declined.
        """
        if self._done or self._pieces is None:
            raise StopAsyncIteration
        item, self._first = self._first, None
        if item is None:
            try:
                item = await anext(aiter(self._pieces))
            except AttemptFailed as failed:
                self._record.noted(failed.reason)
                raise Interrupted from None
        if isinstance(item, Completion):
            self._done = True
            if item.finish_reason == REFUSAL:
                self._record.noted(REFUSED)
                raise Refused
            self._record.succeeded(item)
        return item

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the provider's side at once.

        Raises:
            Late: the time was over.
        """
        await self._leave(error)

    async def _leave(self, error: BaseException | None) -> None:
        kind = None if error is None else type(error)
        try:
            await self._stack.__aexit__(kind, error, None)
        except TimeoutError:
            self._record.noted("timeout")
            error = Late()
            raise error from None
        finally:
            if isinstance(error, Withheld):
                self._record.noted(WITHHELD)
            if isinstance(error, LlmError):
                self._record.failed(error.kind)
            elif error is None or not isinstance(error, Exception):
                self._record.left()
            self._record.__exit__(kind, error, None)
