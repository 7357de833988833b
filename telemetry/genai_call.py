"""One call of a language model, from its beginning to the end of its answer, with all its retries and fall-overs.

Names and meanings by the conventions of generative AI (in development):
https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

from telemetry import names
from telemetry.current_span import set_failed
from telemetry.genai_metrics import OPERATION_CHAT
from telemetry.tracing import plain, span_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span

    from telemetry.genai_metrics import CallMetrics, Usage
    from telemetry.previews import Previewing
    from telemetry.tracing import SpanIds

CANCELLED = "cancelled"
# After these an answer is all of what the model had to say; after others it breaks off.
_COMPLETE = frozenset({"end_turn", "stop_sequence", "tool_use"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What is known of a call before it is sent.

    Attributes:
        provider: who is asked, as declared.
        model: the provider's name of the model that is asked.
        max_tokens: output tokens at most.
        stream: whether the answer is wanted piece by piece.
        server_address: host of the provider.
        server_port: its port.
        prompt_name: which versioned instruction the call begins with.
        prompt_version: the instruction's version.
        prompt_digest: the instruction's SHA-256, hexadecimal.
        temperature: 0 to 1; None: the provider's default.
    """

    provider: str
    model: str
    max_tokens: int
    stream: bool
    server_address: str
    server_port: int
    prompt_name: str
    prompt_version: str
    prompt_digest: str
    temperature: float | None = None

    def attributes(self) -> dict[str, Any]:
        """Give the span's attributes."""
        attributes: dict[str, Any] = {
            names.ATTR_GENAI_OPERATION: OPERATION_CHAT,
            names.ATTR_GENAI_PROVIDER: self.provider,
            names.ATTR_GENAI_MODEL: self.model,
            names.ATTR_GENAI_MAX_TOKENS: self.max_tokens,
            names.ATTR_SERVER_ADDRESS: self.server_address,
            names.ATTR_SERVER_PORT: self.server_port,
            names.ATTR_PROMPT_NAME: self.prompt_name,
            names.ATTR_PROMPT_VERSION: self.prompt_version,
            names.ATTR_PROMPT_DIGEST: self.prompt_digest,
        }
        if self.stream:  # the convention: if and only if
            attributes[names.ATTR_GENAI_STREAM] = True
        if self.temperature is not None:
            attributes[names.ATTR_GENAI_TEMPERATURE] = self.temperature
        return attributes


class Step:
    """The span of an agent, a tool or a call, while it is open."""

    __slots__ = ("_span",)

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def ids(self) -> SpanIds | None:
        """The span's ids."""
        return span_ids(self._span)

    def event(self, name: str, attributes: Mapping[str, Any]) -> None:
        """Record something that happened.

        Args:
            name: one of `names.LLM_SPAN_EVENTS`; any other is recorded as `other`.
            attributes: numbers and slugs, under names of `telemetry.names`.
        """
        self._span.add_event(name if name in names.LLM_SPAN_EVENTS else names.OTHER, plain(attributes))

    def failed(self, error_type: str) -> None:
        """Say that it failed.

        Args:
            error_type: a slug of a bounded set.
        """
        set_failed(self._span, error_type)


class CallSpan(Step):
    """One call of a language model, from its beginning to the end of its answer.

    `succeeded`, `failed` or `cancelled` ends it, whichever is first; what comes after the end changes nothing. Leaving
    its `with` ends one that is still open: as failed with an exception's class, else (a cancellation, a consumer that
    has had enough) as cancelled. It is in no context, and may be ended by any task.
    """

    __slots__ = ("_asked", "_ended", "_facts", "_first_chunk", "_metrics", "_previews", "_started", "_taken")

    def __init__(
        self, span: Span, facts: CallFacts, metrics: CallMetrics, previews: Previewing, asked: str = ""
    ) -> None:
        super().__init__(span)
        self._facts = facts
        self._metrics = metrics
        self._previews = previews
        self._asked = asked
        self._started = perf_counter()
        self._first_chunk: float | None = None
        self._taken: dict[str, float] = {}
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, exception: BaseException | None, _traceback: object) -> None:
        if self._ended:
            return
        if isinstance(exception, Exception):
            self._span.record_exception(exception)
            self.failed(type(exception).__qualname__)
        else:
            self.cancelled()

    def event(self, name: str, attributes: Mapping[str, Any]) -> None:
        """Record something that happened, as `Step.event`."""
        if not self._ended:
            super().event(name, attributes)

    def first_token(self) -> None:
        """Note that the first piece of a streamed answer is there; the following ones change nothing."""
        if self._ended or self._first_chunk is not None:
            return
        self._first_chunk = perf_counter()
        seconds = self._first_chunk - self._started
        self._span.set_attribute(names.ATTR_GENAI_FIRST_CHUNK, seconds)
        self._metrics.first_chunk(self._facts.provider, self._facts.model, seconds, self._exemplar())

    def retried(self, reason: str, delay: float) -> None:
        """Note that the same provider is asked again.

        Args:
            reason: why, as declared.
            delay: seconds until then.
        """
        if self._ended:
            return
        provider = self._facts.provider
        attributes = {names.ATTR_GENAI_PROVIDER: provider, names.ATTR_LLM_REASON: reason, names.ATTR_LLM_DELAY: delay}
        self.event(names.LLM_RETRY, attributes)
        self._metrics.retried(provider, reason)

    def fell_over(self, facts: CallFacts, reason: str) -> None:
        """Note that another provider is asked instead; from now on the call is its.

        Args:
            facts: the call as the other provider is asked it.
            reason: why, as declared.
        """
        if self._ended:
            return
        left = self._facts.provider
        attributes = {names.ATTR_LLM_FROM: left, names.ATTR_LLM_TO: facts.provider, names.ATTR_LLM_REASON: reason}
        self.event(names.LLM_FALLOVER, attributes)
        self._metrics.fell_over(left, facts.provider, reason)
        self._facts = facts
        self._span.update_name(names.SPAN_CHAT.format(facts.model))
        self._span.set_attributes(plain(facts.attributes()))

    def took(self, usage: Usage, cost_usd: float, *, estimated: bool = False) -> None:
        """Note what an attempt has taken of the provider that is asked; the span has the sum of all of them.

        Args:
            usage: the tokens, each counted once.
            cost_usd: their estimated cost, US dollars.
            estimated: whether the provider has not said: then nobody knows what its cache did.
        """
        if self._ended:
            return
        read, written = usage.cache_read_tokens, usage.cache_write_tokens
        for name, number in (
            (names.ATTR_GENAI_INPUT_TOKENS, usage.input_tokens + read + written),
            (names.ATTR_GENAI_OUTPUT_TOKENS, usage.output_tokens),
            (names.ATTR_GENAI_CACHE_READ, read),
            (names.ATTR_GENAI_CACHE_WRITE, written),
            (names.ATTR_LLM_COST, cost_usd),
        ):
            self._taken[name] = self._taken.get(name, 0) + number
        facts = self._facts
        self._metrics.spent(facts.provider, facts.model, facts.prompt_name, usage, cost_usd)
        if not estimated:
            self._metrics.looked_up(facts.provider, facts.model, facts.prompt_name, hit=usage.cache_read_tokens > 0)

    def succeeded(
        self, *, response_id: str, model: str, finish_reason: str, usage: Usage, cost_usd: float, answer: str = ""
    ) -> None:
        """End the call: it was answered.

        Args:
            response_id: the provider's id of the answer.
            model: the provider's name of what answered.
            finish_reason: why the answer ends, in the provider's words.
            usage: the tokens it took, each counted once.
            cost_usd: estimated cost, US dollars.
            answer: its text; looked at only where content is on.
        """
        if self._ended:
            return
        told = self._previews.side(answer, whole=finish_reason in _COMPLETE)
        attributes: dict[str, Any] = {
            names.ATTR_GENAI_RESPONSE_ID: response_id,
            names.ATTR_GENAI_RESPONSE_MODEL: model,
            names.ATTR_GENAI_FINISH_REASONS: (finish_reason,),
            **self._previews.attributes(self._asked, told),
        }
        self._span.set_attributes(plain(attributes))
        output_tokens = usage.output_tokens
        if self._first_chunk is not None and output_tokens > 1:
            seconds = (perf_counter() - self._first_chunk) / (output_tokens - 1)
            self._metrics.per_token(self._facts.provider, self._facts.model, seconds)
        self.took(usage, cost_usd)
        self._end("")

    def failed(self, error_type: str) -> None:
        """End the call: there is no answer, or half of one.

        Args:
            error_type: a slug, as declared.
        """
        if not self._ended:
            set_failed(self._span, error_type)
            self._end(error_type)

    def cancelled(self) -> None:
        """End the call: nobody waits for its answer any more. That is no failure, and the span's status stays unset."""
        if not self._ended:
            self._span.set_attribute("error.type", CANCELLED)
            self._end(CANCELLED)

    def _end(self, error_type: str) -> None:
        self._ended = True
        provider, model = self._facts.provider, self._facts.model
        self._span.set_attributes(plain(self._taken))
        self._metrics.ended(provider, model, error_type, perf_counter() - self._started, self._exemplar())
        self._span.end()

    def _exemplar(self) -> dict[str, str] | None:
        ids = self.ids
        if ids is None or not ids.sampled:
            return None
        return {"trace_id": ids.trace_id, "span_id": ids.span_id}
