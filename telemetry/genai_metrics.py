"""What is counted of calls of language models; every label is of a set that the application declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from telemetry import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from telemetry.metrics import Metrics

OPERATION_CHAT = "chat"


class Usage(Protocol):
    """Tokens of one call, each counted once."""

    @property
    def input_tokens(self) -> int:
        """Neither read from the cache nor written to it."""

    @property
    def cache_read_tokens(self) -> int:
        """Read from the cache."""

    @property
    def cache_write_tokens(self) -> int:
        """Written to the cache."""

    @property
    def output_tokens(self) -> int:
        """Generated."""


class CallMetrics:
    """The books of an application's calls.

    Args:
        metrics: the registry.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def declare(
        self,
        models: Mapping[str, Iterable[str]],
        *,
        prompts: Iterable[str] = (),
        error_types: Iterable[str] = (),
        reasons: Iterable[str] = (),
    ) -> None:
        """Allow label values, and make what may be counted exist at 0; every other value is shown as `other`.

        Args:
            models: of each provider.
            prompts: names of the versioned instructions that calls begin with; none: all calls are counted together.
            error_types: what a call may fail with.
            reasons: why a provider is asked again, or another one.
        """
        metrics, whys, named = self._metrics, tuple(reasons), tuple(prompts) or (names.OTHER,)
        ends = ("", "cancelled", *error_types)
        metrics.allow("reason", *whys)
        pairs = [(provider, model) for provider, offered in models.items() for model in offered]
        calls = [(OPERATION_CHAT, *pair) for pair in pairs]
        metrics.declare(names.GENAI_DURATION, [(*call, end) for call in calls for end in ends])
        metrics.declare(names.GENAI_FIRST_CHUNK, calls)
        metrics.declare(names.GENAI_PER_TOKEN, calls)
        metrics.declare(names.GENAI_TOKENS, [(*call, kind) for call in calls for kind in ("input", "output")])
        prompted = [(*pair, prompt) for pair in pairs for prompt in named]
        for spec in (names.GENAI_CACHE_READ_TOKENS, names.GENAI_CACHE_WRITE_TOKENS, names.GENAI_COST):
            metrics.declare(spec, prompted)
        metrics.declare(names.GENAI_CACHE_LOOKUPS, [(*each, result) for each in prompted for result in ("hit", "miss")])
        metrics.declare(names.GENAI_BREAKER_OPEN, [(provider,) for provider in models])
        metrics.declare(names.GENAI_ATTEMPT_FAILURES, [(provider, reason) for provider in models for reason in whys])
        metrics.declare(names.GENAI_RETRIES, [(provider, reason) for provider in models for reason in whys])
        metrics.declare(
            names.GENAI_FALLOVERS,
            [(left, asked, reason) for left in models for asked in models if asked != left for reason in whys],
        )

    def ended(
        self, provider: str, model: str, error_type: str, seconds: float, exemplar: Mapping[str, str] | None
    ) -> None:
        """Note a call's end; an empty `error_type` is a success."""
        histogram = self._metrics.histogram(names.GENAI_DURATION, OPERATION_CHAT, provider, model, error_type)
        histogram.observe(seconds, None if exemplar is None else dict(exemplar))

    def first_chunk(self, provider: str, model: str, seconds: float, exemplar: Mapping[str, str] | None) -> None:
        """Note the first piece of a streamed answer."""
        histogram = self._metrics.histogram(names.GENAI_FIRST_CHUNK, OPERATION_CHAT, provider, model)
        histogram.observe(seconds, None if exemplar is None else dict(exemplar))

    def per_token(self, provider: str, model: str, seconds: float) -> None:
        """Note how long a token of a streamed answer took."""
        self._metrics.histogram(names.GENAI_PER_TOKEN, OPERATION_CHAT, provider, model).observe(seconds)

    def spent(self, provider: str, model: str, prompt: str, usage: Usage, cost_usd: float) -> None:
        """Note tokens and cost; what a provider says of them may be anything, and no counter goes back."""
        read, written = max(usage.cache_read_tokens, 0), max(usage.cache_write_tokens, 0)
        call = (OPERATION_CHAT, provider, model)
        tokens = {"input": max(usage.input_tokens, 0) + read + written, "output": max(usage.output_tokens, 0)}
        for kind, count in tokens.items():
            self._metrics.histogram(names.GENAI_TOKENS, *call, kind).observe(count)
        prompted = (provider, model, prompt)
        self._metrics.counter(names.GENAI_CACHE_READ_TOKENS, *prompted).inc(read)
        self._metrics.counter(names.GENAI_CACHE_WRITE_TOKENS, *prompted).inc(written)
        self._metrics.counter(names.GENAI_COST, *prompted).inc(max(cost_usd, 0.0))

    def looked_up(self, provider: str, model: str, prompt: str, *, hit: bool) -> None:
        """Note whether the provider's cache had the prompt."""
        self._metrics.counter(names.GENAI_CACHE_LOOKUPS, provider, model, prompt, "hit" if hit else "miss").inc()

    def attempt_failed(self, provider: str, reason: str) -> None:
        """Note that a provider did not answer, or was not asked."""
        self._metrics.counter(names.GENAI_ATTEMPT_FAILURES, provider, reason).inc()

    def retried(self, provider: str, reason: str) -> None:
        """Note that a provider is asked again."""
        self._metrics.counter(names.GENAI_RETRIES, provider, reason).inc()

    def fell_over(self, left: str, asked: str, reason: str) -> None:
        """Note that another provider is asked."""
        self._metrics.counter(names.GENAI_FALLOVERS, left, asked, reason).inc()

    def breaker(self, provider: str, *, is_open: bool) -> None:
        """Note whether a provider is passed over."""
        self._metrics.gauge(names.GENAI_BREAKER_OPEN, provider).set(is_open)
