"""What is told of the warming: spans, metrics and log lines."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from service.cache_warming.seams import Metrics, Span, Spans
from service.llm.errors import KINDS
from service.llm.model import Prompt, Usage
from telemetry import get_logger, names

# Beside those of the calls themselves.
TIMED_OUT, UNEXPECTED, NOT_CACHED = "timed_out", "unexpected", "not_cached"
_MOST_NAMES = 20

log = get_logger(__name__)


class Telling:
    """Tells of the warming.

    Args:
        metrics: where the counts are; they exist at 0 from now on.
        spans: where the spans come from.
    """

    def __init__(self, metrics: Metrics, spans: Spans) -> None:
        self._metrics = metrics
        self._spans = spans
        self._cycles = metrics.counter(names.CACHE_WARMING_CYCLES)
        reasons = (*KINDS, "failed", TIMED_OUT, UNEXPECTED, NOT_CACHED)
        metrics.declare(names.CACHE_WARMING_FAILURES, [(reason,) for reason in reasons])
        metrics.declare(names.CACHE_WARMING_TOKENS, [("written",), ("read",)])

    def declare(self, prompt: Prompt) -> None:
        """Make a prompt's count of saved tokens exist."""
        self._metrics.declare(names.CACHE_WARMING_SAVED_TOKENS, [(prompt.name,)])

    def kept_warm(self, prompt: Prompt, age: Callable[[], float]) -> None:
        """Let a prompt's age be read.

        Args:
            prompt: one that is kept warm.
            age: gives it, in seconds.
        """
        self._metrics.declare(names.CACHE_WARMING_PROMPT_AGE, [(prompt.name,)])
        self._metrics.read(names.CACHE_WARMING_PROMPT_AGE, prompt.name, by=age)

    def too_short(self, prompts: Sequence[str], model: str, minimum: int) -> None:
        """Name the prompts that the model does not cache.

        Args:
            prompts: their names.
            model: which.
            minimum: tokens that it asks for.
        """
        log.warning(
            names.CACHE_WARMING_TOO_SHORT, prompts=list(prompts[:_MOST_NAMES]), model=model, minimum_tokens=minimum
        )

    def cycle(self, prompts: int, links: Iterable[Any]) -> AbstractContextManager[Span]:
        """Count a cycle, and give it a trace of its own.

        Args:
            prompts: how many are due.
            links: to the span that the warmer was begun in.
        """
        self._cycles.inc()
        return self._spans.root_span(
            names.SPAN_CACHE_WARMING_CYCLE, links, **{names.ATTR_CACHE_WARMING_PROMPTS: prompts}
        )

    @contextmanager
    def prompt(self, prompt: Prompt) -> Iterator["PromptTelling"]:
        """Give one prompt's warm-up a span.

        Args:
            prompt: which.
        """
        described = {
            names.ATTR_PROMPT_NAME: prompt.name,
            names.ATTR_PROMPT_VERSION: prompt.version,
            names.ATTR_PROMPT_DIGEST: prompt.digest,
        }
        with self._spans.span(names.SPAN_CACHE_WARMING_PROMPT, **described) as span:
            yield PromptTelling(self._metrics, span, prompt.name)

    def saved(self, prompt: str, usage: Usage) -> None:
        """Count what a real call did not pay for in full."""
        self._metrics.counter(names.CACHE_WARMING_SAVED_TOKENS, prompt).inc(usage.cache_read_tokens)


class PromptTelling:
    """Tells how one prompt's warm-up ended.

    Args:
        metrics: where it is counted.
        span: the warm-up's.
        prompt: the prompt's name.
    """

    def __init__(self, metrics: Metrics, span: Span, prompt: str) -> None:
        self._metrics = metrics
        self._span = span
        self._prompt = prompt

    def cached(self, usage: Usage, next_in: float) -> None:
        """Tell of a prefix that is in the cache.

        Args:
            usage: the warm-up's.
            next_in: seconds until it is due again.
        """
        self._metrics.counter(names.CACHE_WARMING_TOKENS, "written").inc(usage.cache_write_tokens)
        self._metrics.counter(names.CACHE_WARMING_TOKENS, "read").inc(usage.cache_read_tokens)
        self._end("written" if usage.cache_write_tokens else "hit", next_in, usage)

    def nothing_cached(self, next_in: float) -> None:
        """Tell of a warm-up that was answered and had nothing to do with the cache.

        Args:
            next_in: seconds until it may be due again.
        """
        self._metrics.counter(names.CACHE_WARMING_FAILURES, NOT_CACHED).inc()
        log.warning(names.CACHE_WARMING_NOTHING_CACHED, prompt_name=self._prompt, next_in_seconds=round(next_in, 1))
        self._end("nothing", next_in)

    def failed(self, reason: str, next_in: float, exception: Exception | None = None) -> None:
        """Tell of a warm-up that was not answered.

        Args:
            reason: a slug.
            next_in: seconds until it may be due again.
            exception: where it is one that nobody expects.
        """
        self._metrics.counter(names.CACHE_WARMING_FAILURES, reason).inc()
        log.warning(
            names.CACHE_WARMING_FAILED,
            prompt_name=self._prompt,
            reason=reason,
            next_in_seconds=round(next_in, 1),
            exc_info=exception,
        )
        self._span.set_attributes({"error.type": reason})
        self._end("failed", next_in)

    def _end(
        self, outcome: Literal["hit", "written", "nothing", "failed"], next_in: float, usage: Usage | None = None
    ) -> None:
        usage = usage or Usage()
        self._span.set_attributes(
            {
                names.ATTR_CACHE_WARMING_OUTCOME: outcome,
                names.ATTR_CACHE_WARMING_TOKENS_WRITTEN: usage.cache_write_tokens,
                names.ATTR_CACHE_WARMING_TOKENS_READ: usage.cache_read_tokens,
                names.ATTR_CACHE_WARMING_NEXT_DUE: (datetime.now(UTC) + timedelta(seconds=next_in)).isoformat(),
            }
        )
