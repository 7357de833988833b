"""Requests that are sent to a collector at the same time, each with the message that comes out for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.stack.collector import Collector
from tests.stack.positions import Item, Layout


class RefusedError(Exception):
    """A request was not answered 200, or nothing came out for it."""


@dataclass
class Exchange:
    """Sends items to a collector and gives what became of them; safe to share between threads."""

    collector: Collector
    _numbers: Any = field(default_factory=lambda: count(1))
    _came: dict[tuple[str, int], Any] = field(default_factory=dict)
    _reading: Any = field(default_factory=threading.Lock)

    def __call__(self, layout: Layout, items: list[Item]) -> Any:
        """Give the message that comes out when these items went in as one request.

        Raises:
            RefusedError: the request was refused, or some of it did not come out.
        """
        number = next(self._numbers)
        request = layout.build(number, items)
        answer = self.collector.send(layout.signal, request)
        if answer.status != 200:
            raise RefusedError(f"{layout.signal}: {answer.status} {answer.body[:500]!r}")
        with self._reading:
            for message in self.collector.exported(layout.signal):
                self._came[layout.signal, layout.number(message)] = message
            came = self._came.pop((layout.signal, number), None)
        if came is None or (arrived := sum(1 for _ in layout.read(came))) != len(items):
            raise RefusedError(f"{layout.signal}: of {len(items)} items {0 if came is None else arrived} came out")
        return came
