"""Calls of language models, agents and tools as spans and metrics, by the conventions of generative AI.

Names and meanings (in development): https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from telemetry import names
from telemetry.genai_call import CallFacts, CallSpan, Step
from telemetry.genai_metrics import CallMetrics, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telemetry.metrics import Metrics
    from telemetry.previews import Previewing
    from telemetry.tracing import Tracing

__all__ = ["CallFacts", "CallSpan", "GenAI", "Step", "Usage"]


class GenAI:
    """Makes the spans and keeps the books of one application's language models.

    Args:
        tracing: makes the spans.
        metrics: the registry.
        previews: gives what a span may show of content.

    Attributes:
        declare: allows providers, models and reasons as labels, and makes what is counted of them exist at 0.
        attempt_failed: notes that a provider did not answer, or was not asked.
        breaker: notes whether a provider is passed over.
    """

    def __init__(self, tracing: Tracing, metrics: Metrics, previews: Previewing) -> None:
        self._tracing = tracing
        self._metrics = CallMetrics(metrics)
        self._previews = previews
        self.declare = self._metrics.declare
        self.attempt_failed = self._metrics.attempt_failed
        self.breaker = self._metrics.breaker

    def call(self, facts: CallFacts, question: str = "") -> CallSpan:
        """Begin a call: a CLIENT span under the current one, which stays the current one.

        Args:
            facts: what is known of it.
            question: text of what is asked; looked at only where content is on.
        """
        asked = self._previews.side(question)
        attributes = {**facts.attributes(), **self._previews.attributes(asked)}
        span = self._tracing.client_span(names.SPAN_CHAT.format(facts.model), attributes)
        return CallSpan(span, facts, self._metrics, self._previews, asked)

    @contextmanager
    def agent(self, name: str) -> Iterator[Step]:
        """Open the span of an agent's work for the length of a `with`, inside one task.

        Args:
            name: one of the application's agents.
        """
        attributes = {names.ATTR_GENAI_OPERATION: "invoke_agent", names.ATTR_GENAI_AGENT: name}
        with self._tracing.span(names.SPAN_AGENT.format(name), attributes) as span:
            yield Step(span)

    @contextmanager
    def tool(self, name: str, call_id: str) -> Iterator[Step]:
        """Open the span of a tool's work for the length of a `with`, inside one task.

        Args:
            name: one of the application's tools, never what a model made up.
            call_id: the provider's id of the model's wish.
        """
        attributes = {
            names.ATTR_GENAI_OPERATION: "execute_tool",
            names.ATTR_GENAI_TOOL: name,
            names.ATTR_GENAI_TOOL_CALL: call_id,
            names.ATTR_GENAI_TOOL_TYPE: "function",
        }
        with self._tracing.span(names.SPAN_TOOL.format(name), attributes) as span:
            yield Step(span)
