"""What nobody handled: the last exception of the process, a thread or an asyncio callback, through the one chain."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from telemetry import names
from telemetry.logs import get_logger

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from types import TracebackType

_log = get_logger(__name__)


class Crashes:
    """Takes over the hooks of the interpreter, of threads and of the event loop.

    Args:
        capture: sends an exception to the error tracker.
        write_out: writes the log lines that wait; called when the process is about to end.
    """

    def __init__(self, capture: Callable[[BaseException], None], write_out: Callable[[], None]) -> None:
        self._capture = capture
        self._write_out = write_out
        self._before: tuple[Any, Any] = (sys.excepthook, threading.excepthook)

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the hooks over."""
        self._before = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._process
        threading.excepthook = self._thread
        loop.set_exception_handler(self._callback)

    def remove(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook = self._before
        loop.set_exception_handler(None)

    def _process(self, kind: type[BaseException], exception: BaseException, _traceback: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        self._report(exception, thread="main")
        self._write_out()

    def _thread(self, crash: threading.ExceptHookArgs) -> None:
        if crash.exc_value is not None:
            self._report(crash.exc_value, thread=crash.thread.name if crash.thread else "unknown")

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
