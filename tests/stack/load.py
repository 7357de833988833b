"""Spans and log records that are sent to a collector while it is killed and started again; what it acknowledged."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from itertools import count
from types import TracebackType
from typing import Self

import urllib3
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.stack.collector import Collector

ITEMS = 50
# What is sent raw, and must be nowhere behind the scrubbing.
MARKERS = (b"carol.kills@example.com", b"5500 0055 5555 5559", b"203.0.113.77")
_TEXT = f"mail {MARKERS[0].decode()} card {MARKERS[1].decode()} from {MARKERS[2].decode()}"
PLACEHOLDERS = (b"[REDACTED:email]", b"[REDACTED:credit_card]", b"[REDACTED:ip]")


class Load:
    """Two threads that send, one of each signal, while `collector` is up; a context manager.

    Args:
        collector: is sent to.
        first: number of the first request; others hold other items.

    Attributes:
        spans: ids of those that were acknowledged.
        records: the same of log records.
        refusals: how often which status was answered that is no acknowledgement, by signal.
    """

    def __init__(self, collector: Collector, first: int = 0) -> None:
        self._collector = collector
        self._first = first
        self.spans: set[str] = set()
        self.records: set[str] = set()
        self.refusals: dict[str, Counter[int]] = {"traces": Counter(), "logs": Counter()}
        self._up, self._ended, self._changed = threading.Event(), threading.Event(), threading.Condition()
        self._threads = [
            threading.Thread(target=self._send, args=(signal, make, acknowledged))
            for signal, make, acknowledged in (("traces", _spans, self.spans), ("logs", _records, self.records))
        ]

    def __enter__(self) -> Self:
        self.go()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self.go()
        for thread in self._threads:
            thread.join()

    def go(self) -> None:
        """The collector is up: send."""
        self._up.set()

    def hold(self) -> None:
        """The collector is down: do not send."""
        self._up.clear()

    def wait_for(self, items: int, seconds: float) -> bool:
        """Wait until so many more of each signal are acknowledged; say whether they are."""
        spans, records = len(self.spans) + items, len(self.records) + items
        return self.wait(lambda: len(self.spans) >= spans and len(self.records) >= records, seconds)

    def wait_for_refusals(self, seconds: float) -> bool:
        """Wait until something of each signal is refused; say whether it is."""
        return self.wait(lambda: all(self.refusals.values()), seconds)

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until something holds, which is asked after every answer; say whether it does."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def _send(self, signal: str, make: Callable[[range], Message], acknowledged: set[str]) -> None:
        for number in count(self._first):
            ids = range(number * ITEMS + 1, (number + 1) * ITEMS + 1)
            self._up.wait()
            if self._ended.is_set():
                return
            try:
                status = self._collector.send(signal, make(ids)).status
            except urllib3.exceptions.HTTPError:
                # It was killed: never acknowledged.
                continue
            with self._changed:
                if status == 200:
                    acknowledged.update(each.to_bytes(8, "big").hex() for each in ids)
                else:
                    self.refusals[signal][status] += 1
                self._changed.notify_all()


def _spans(ids: range) -> Message:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for each in ids:
        span = scope.spans.add(name="work", trace_id=bytes(15) + b"1", span_id=each.to_bytes(8, "big"))
        span.attributes.add(key="note").value.string_value = _TEXT
    return request


def _records(ids: range) -> Message:
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for each in ids:
        record = scope.log_records.add(trace_id=bytes(15) + b"1", span_id=each.to_bytes(8, "big"))
        record.body.string_value = _TEXT
    return request
