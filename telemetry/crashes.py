"""What nobody handled: the last exception of the process, a thread, an asyncio callback or a finalizer.

All of it goes through the one chain: the interpreter's own hooks would print texts and objects as they are.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from telemetry import names
from telemetry.logs import get_logger
from telemetry.turns import Turns

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from types import TracebackType

_log = get_logger(__name__)
_TURNS = Turns()


class Crashes:
    """Takes over the hooks of the interpreter, of threads and of the event loop.

    Args:
        capture: sends an exception to the error tracker.
        write_out: writes the log lines that wait; called when the process is about to end.
    """

    def __init__(self, capture: Callable[[BaseException], None], write_out: Callable[[], None]) -> None:
        self._capture = capture
        self._write_out = write_out
        self._loop: asyncio.AbstractEventLoop | None = None

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the hooks over."""
        self._loop = loop
        _TURNS.begin(self._take)

    def remove(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give the hooks to the application that still runs, or back."""
        loop.set_exception_handler(None)
        _TURNS.end(self._take)

    def _take(self) -> Callable[[], None]:
        before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        if self._loop is not None:
            self._loop.set_exception_handler(self._callback)
        sys.excepthook = self._process
        threading.excepthook = self._thread
        sys.unraisablehook = self._unraisable

        def put_back() -> None:
            sys.excepthook, threading.excepthook, sys.unraisablehook = before

        return put_back

    def _process(self, kind: type[BaseException], exception: BaseException, _traceback: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        self._report(exception, thread="main")
        self._write_out()

    def _thread(self, crash: threading.ExceptHookArgs) -> None:
        if crash.exc_value is not None:
            self._report(crash.exc_value, thread=crash.thread.name if crash.thread else "unknown")

    def _unraisable(self, failure: sys.UnraisableHookArgs) -> None:
        source = failure.object
        # Neither its repr, which holds what it is about, nor the object itself, which is about to go.
        named = source if isinstance(source, FunctionType | MethodType | type) else type(source)
        # Garbage is collected anywhere, also below a lock of ours: telling waits for the loop's next turn.
        if self._loop is not None and failure.exc_value is not None:
            with suppress(RuntimeError):  # the loop is closed, and nobody is left to tell
                self._loop.call_soon_threadsafe(self._tell_unraisable, named.__qualname__, failure.exc_value)

    def _tell_unraisable(self, source: str, exception: BaseException) -> None:
        _log.error(names.FINALIZER_FAILED, source=source, exc_info=exception)
        self._capture(exception)

    def _report(self, exception: BaseException, thread: str) -> None:
        _log.critical(names.PROCESS_CRASHED, thread=thread, exc_info=exception)
        self._capture(exception)

    def _callback(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        exception = context.get("exception")
        task = context.get("task") or context.get("future")
        name = task.get_name() if task is not None and hasattr(task, "get_name") else "callback"
        _log.error(names.TASK_FAILED, task=name, exc_info=exception)
        if exception is not None:
            self._capture(exception)
