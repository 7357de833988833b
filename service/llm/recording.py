"""Calls told through telemetry: one span each, with every decision on it, and what they cost."""

from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter
from types import TracebackType
from typing import Self

from service.llm.attempt import BREAKER_OPEN, REASONS, WITHHELD, Provider
from service.llm.errors import KINDS
from service.llm.model import Call, Completion, Usage
from service.llm.prices import Price, price_of
from telemetry import get_logger, names
from telemetry.genai import CallFacts, CallSpan, GenAI

log = get_logger(__name__)

_EVENTS = {
    BREAKER_OPEN: names.LLM_BREAKER_OPEN,
    "first_token_timeout": names.LLM_DEADLINE,
    "timeout": names.LLM_DEADLINE,
    "malformed": names.LLM_MALFORMED,
    "endless": names.LLM_MALFORMED,
    WITHHELD: names.LLM_WITHHELD,
}


class Recording:
    """Makes the records of calls.

    Args:
        genai: spans and metrics.
        providers: in the order in which they are asked.
        prices: by model.
        prompts: names of those that calls begin with.
    """

    def __init__(
        self, genai: GenAI, providers: Sequence[Provider], prices: Mapping[str, Price], prompts: Iterable[str]
    ) -> None:
        self._genai, self._providers, self._prices = genai, providers, prices
        models: dict[str, list[str]] = {}
        for provider in providers:
            models.setdefault(provider.name, []).append(provider.model)
        genai.declare(models, prompts=prompts, error_types=KINDS, reasons=REASONS)

    def begin(self, call: Call, *, stream: bool) -> "Record":
        """A call begins."""
        return Record(self._genai, call, self._providers[0], self._prices, stream=stream)

    def breaker(self, provider: str, is_open: bool) -> None:
        """A provider is left alone, or no longer."""
        self._genai.breaker(provider, is_open=is_open)
        if is_open:
            log.warning(names.LLM_PROVIDER_LEFT_ALONE, provider=provider)
        else:
            log.info(names.LLM_PROVIDER_BACK, provider=provider)


class Record:
    """One call's.

    Args:
        genai: spans and metrics.
        call: what is asked.
        provider: who is asked first.
        prices: by model.
        stream: whether the answer is wanted piece by piece.
    """

    def __init__(
        self, genai: GenAI, call: Call, provider: Provider, prices: Mapping[str, Price], *, stream: bool
    ) -> None:
        self._genai, self._call, self._provider = genai, call, provider
        self._prices, self._stream = prices, stream
        self._span: CallSpan
        self._reasons: list[str] = []
        self._usage, self._cost = Usage(), 0.0
        self._started = perf_counter()
        self._first_token: float | None = None
        self._ended = False

    def __enter__(self) -> Self:
        question = "\n".join(message.text for message in self._call.messages)
        self._span = self._genai.call(self._facts(), question)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._span.__exit__(kind, error, trace)
        if error is not None:
            # A defect; a cancellation of an answer that came at once.
            self._tell("failed" if isinstance(error, Exception) else "cancelled")

    def noted(self, reason: str) -> None:
        """Why the provider that is asked has not answered, or is not asked after all."""
        self._reasons.append(reason)
        self._genai.attempt_failed(self._provider.name, reason)
        attributes = {names.ATTR_GENAI_PROVIDER: self._provider.name, names.ATTR_LLM_REASON: reason}
        self._span.event(_EVENTS.get(reason, names.LLM_FAILED), attributes)

    def retrying(self, reason: str, pause: float) -> None:
        """It will be asked again after a pause, in seconds."""
        self._span.retried(reason, pause)

    def falling_over(self, following: Provider, reason: str) -> None:
        """The next one is asked."""
        self._provider = following
        self._span.fell_over(self._facts(), reason)

    def took(self, usage: Usage, *, estimated: bool) -> None:
        """So much has the attempt taken that gave no answer. After an end it changes nothing."""
        if usage.total and not self._ended:
            self._span.took(usage, self._add(usage), estimated=estimated)

    def first_token(self) -> None:
        """The answer has begun."""
        self._first_token = perf_counter() - self._started
        self._span.first_token()

    def succeeded(self, completion: Completion) -> None:
        """The answer is complete; what the attempt took is its usage."""
        self._span.succeeded(
            response_id=completion.id,
            model=completion.model,
            finish_reason=completion.finish_reason,
            usage=completion.usage,
            cost_usd=self._add(completion.usage),
            answer=completion.text,
        )
        self._tell("answered")

    def failed(self, kind: str) -> None:
        """There is none, or no more of it."""
        self._span.failed(kind)
        self._tell(kind)

    def left(self) -> None:
        """Nobody waits for the rest of it. After an end it changes nothing."""
        self._span.cancelled()
        self._tell("cancelled")

    def _tell(self, outcome: str) -> None:
        """Write the call's line, once: what it was, who answered, how fast, and what it took."""
        if self._ended:
            return
        self._ended = True
        write = log.info if outcome in {"answered", "cancelled"} else log.warning
        write(
            names.LLM_CALL_ENDED,
            outcome=outcome,
            provider=self._provider.name,
            model=self._provider.model,
            prompt_name=self._call.prompt.name,
            prompt_version=self._call.prompt.version,
            reasons=self._reasons,
            duration_ms=round(1000 * (perf_counter() - self._started), 1),
            first_token_ms=None if self._first_token is None else round(1000 * self._first_token, 1),
            input_tokens=self._usage.input_tokens,
            cache_read_tokens=self._usage.cache_read_tokens,
            cache_write_tokens=self._usage.cache_write_tokens,
            output_tokens=self._usage.output_tokens,
            cost_usd=round(self._cost, 6),
        )

    def _add(self, usage: Usage) -> float:
        """Add an attempt's usage to the call's, and give what it costs at the provider that is asked."""
        price = price_of(self._prices, self._provider.model)
        cost = 0.0 if price is None else price.cost(usage)
        self._usage += usage
        self._cost += cost
        return cost

    def _facts(self) -> CallFacts:
        call, provider = self._call, self._provider
        host, port = provider.address
        return CallFacts(
            provider=provider.name,
            model=provider.model,
            max_tokens=call.max_tokens,
            stream=self._stream,
            server_address=host,
            server_port=port,
            prompt_name=call.prompt.name,
            prompt_version=call.prompt.version,
            prompt_digest=call.prompt.digest,
        )
