"""In-memory ends for tests: what an application's telemetry said, without a wire.

recorder = Recorder(telemetry)          # before the application starts
async with running(app) as client: ...  # httpx client; the lifespan is run
recorder.spans, recorder.lines, recorder.metric("http_server_active_requests", ...)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

if TYPE_CHECKING:
    from telemetry.lifecycle import Telemetry


class Recorder(SpanProcessor):
    """Keeps ended spans and written log lines of one application; standard output gets none.

    Args:
        telemetry: the application's telemetry, before its start.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self.spans: list[ReadableSpan] = []
        self.raw_lines: list[bytes] = []
        telemetry.spans.observers.append(self)
        telemetry.logs.write = self.raw_lines.append

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span."""
        self.spans.append(span)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log lines so far, parsed."""
        return [orjson.loads(line) for line in self.raw_lines]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Give the log lines of one event."""
        return [line for line in self.lines if line["event"] == name]

    def server_spans(self) -> list[ReadableSpan]:
        """Give the spans of requests."""
        return [span for span in self.spans if span.kind.name == "SERVER"]

    def metric(self, sample: str, **labels: str) -> float | None:
        """Give a sample's value by its exposed name and labels, or None where there is none."""
        return self._telemetry.metrics.registry.get_sample_value(sample, labels)

    def clear(self) -> None:
        """Forget spans and lines."""
        self.spans.clear()
        self.raw_lines.clear()
