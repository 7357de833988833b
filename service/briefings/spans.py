"""What the agents tell of themselves: the part of the telemetry that they need."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from service.llm.named import identifier
from telemetry import Telemetry


class Spans(Protocol):
    """Opens spans under the current one."""

    def agent(self, name: str) -> AbstractContextManager[object]:
        """`invoke_agent {name}`, for the length of a `with`."""

    def tool(self, name: str, call_id: str) -> AbstractContextManager[object]:
        """`execute_tool {name}`, for the length of a `with`."""

    def background(
        self, name: str, traceparent: str | None, attributes: Mapping[str, object]
    ) -> AbstractContextManager[object]:
        """Work that goes on after its request: a child of that request's span, in whichever process."""

    def event(self, name: str, attributes: Mapping[str, str]) -> None:
        """Add an event to the current span."""


class TracedSpans:
    """Spans of an application's telemetry, named by the GenAI semantic conventions.

    Args:
        telemetry: the application's.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        self._genai = telemetry.genai
        self.agent = telemetry.genai.agent
        self.background = telemetry.tracing.background
        self.event = telemetry.tracing.event

    def tool(self, name: str, call_id: str) -> AbstractContextManager[object]:
        """`execute_tool {name}`, for the length of a `with`; an id that does not look like one is not shown."""
        return self._genai.tool(name, identifier(call_id))
