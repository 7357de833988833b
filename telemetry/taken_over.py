"""The root of `logging`, taken from whoever had it and given back as it was."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SERVERS = ("uvicorn", "uvicorn.error", "uvicorn.access")
_EXPORTERS = ("opentelemetry", "urllib3")


def take_over(handler: logging.Handler) -> Callable[[], None]:
    """Let a handler have every record of `logging` from its own level on, warnings of `warnings` too.

    Args:
        handler: becomes the only one of the root.

    Returns:
        What gives everything back.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = [handler]
    root.setLevel(handler.level)
    servers = [logging.getLogger(name) for name in _SERVERS]
    kept = [(logger, logger.handlers, logger.propagate) for logger in servers]
    for logger in servers:
        logger.handlers, logger.propagate = [], True
    for logger in map(logging.getLogger, _EXPORTERS):
        # An exporter that was given up at the stop may speak after it: `logging`'s last resort would write that to
        # standard error, and the interpreter aborts when a thread dies with that stream's lock.
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
    logging.captureWarnings(capture=True)

    def give_back() -> None:
        logging.captureWarnings(capture=False)
        root.handlers = handlers
        root.setLevel(level)
        for server, own_handlers, propagate in kept:
            server.handlers, server.propagate = own_handlers, propagate

    return give_back
