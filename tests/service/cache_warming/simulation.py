"""Time that passes at once, a provider with a prompt cache, traffic, and spans that are kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any

from service.cache_warming import CacheWarmer, Telling
from service.llm.model import Completion, Prompt, Usage
from service.llm.prices import PRICES, Price
from telemetry.metrics import Metrics
from telemetry.settings import TelemetrySettings

TTL = 300.0
MODEL = "claude-sonnet-4-5"
NAMES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Where it would wait for a timer, its clock jumps there."""

    _now = 0.0

    def __init__(self) -> None:
        super().__init__()
        select = self._selector.select

        def jump(timeout: float | None = None) -> Any:
            if timeout:
                self._now += timeout
                timeout = 0
            return select(timeout)

        self._selector.select = jump

    def time(self) -> float:
        """Seconds."""
        return self._now

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the loop's own
        """End the threads, in real time: a virtual timeout would be over at once."""
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=True)


def virtually(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a test in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(scenario)


def now() -> float:
    """Virtual seconds."""
    return asyncio.get_running_loop().time()


def prompt(name: str, tokens: int = 1500) -> Prompt:
    """A prompt of so many tokens."""
    text = name.ljust(tokens * 4, ".")
    return Prompt(name, "1", text, sha256(text.encode()).hexdigest())


@dataclass
class Provider:
    """Answers, and keeps prefixes for a TTL after their last use.

    Attributes:
        fault: called before a warm-up is answered; may raise or wait.
        caches: whether it does.
        warmed: when each warm-up came, and for which prompt.
        price: what all calls took, in input tokens.
    """

    fault: Callable[[Prompt], Awaitable[None]] | None = None
    caches: bool = True
    warmed: list[tuple[float, str]] = field(default_factory=list)
    price: float = 0.0
    _until: dict[str, float] = field(default_factory=dict)

    def use(self, prompt: Prompt) -> Usage:
        """Read or write a prefix."""
        tokens = len(prompt.text) // 4
        warm = self._until.get(prompt.digest, float("-inf")) > now()
        self._until[prompt.digest] = now() + TTL
        if not self.caches:
            self.price += tokens
            return Usage(input_tokens=tokens, output_tokens=1)
        self.price += tokens * (0.1 if warm else 1.25)
        return Usage(10, tokens if warm else 0, 0 if warm else tokens, 1)

    def forget(self) -> None:
        """Lose every prefix."""
        self._until.clear()

    async def warm(self, prompt: Prompt) -> Completion:
        """Answer a warm-up after half a second."""
        self.warmed.append((now(), prompt.name))
        if self.fault is not None:
            await self.fault(prompt)
        usage = self.use(prompt)
        await asyncio.sleep(0.5)
        self.price += 15
        return Completion("", "max_tokens", usage, "simulated", MODEL, "msg_1")


@dataclass
class KeptSpan:
    """A span."""

    name: str
    attributes: dict[str, Any]
    parent: "KeptSpan | None" = None
    links: Iterable[Any] = ()
    ended: bool = False

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        self.attributes.update(attributes)


class Spans:
    """Keeps spans."""

    def __init__(self) -> None:
        self.kept: list[KeptSpan] = []
        self._current: ContextVar[KeptSpan | None] = ContextVar("current", default=None)

    @contextmanager
    def root_span(self, name: str, links: Iterable[Any] = (), **attributes: Any) -> Iterator[KeptSpan]:
        with self._opened(KeptSpan(name, attributes, None, links)) as span:
            yield span

    @contextmanager
    def span(self, name: str, **attributes: Any) -> Iterator[KeptSpan]:
        with self._opened(KeptSpan(name, attributes, self._current.get())) as span:
            yield span

    @contextmanager
    def _opened(self, span: KeptSpan) -> Iterator[KeptSpan]:
        self.kept.append(span)
        token = self._current.set(span)
        try:
            yield span
        finally:
            self._current.reset(token)
            span.ended = True

    def of(self, name: str) -> list[KeptSpan]:
        """The spans of a name."""
        return [span for span in self.kept if span.name == name]


@dataclass
class World:
    """A warmer among the others."""

    prompts: list[Prompt]
    provider: Provider
    warmer: CacheWarmer
    spans: Spans
    metrics: Metrics
    reads: list[bool] = field(default_factory=list)
    called: list[tuple[float, str]] = field(default_factory=list)

    def call(self, which: int = 0) -> None:
        """Make a real call, that takes no time."""
        prompt = self.prompts[which]
        usage = self.provider.use(prompt)
        self.reads.append(usage.cache_read_tokens > 0)
        self.called.append((now(), prompt.name))
        self.warmer.called(prompt.name, usage)

    async def traffic(self, gap: Callable[[], float], until: float, which: int = 0) -> None:
        """Make calls with gaps between them."""
        while True:
            await asyncio.sleep(gap())
            if now() >= until:
                return
            self.call(which)

    def sample(self, name: str, **labels: str) -> float | None:
        """A metric's value."""
        return self.metrics.registry.get_sample_value(name, labels)

    def unused_when_warmed(self, after: float = 1.0) -> list[tuple[float, str]]:
        """Give the warm-ups, but for those of the start, of prompts that nobody had called for a TTL."""
        return [
            (at, name)
            for at, name in self.provider.warmed
            if at > after and not any(name == other and 0 <= at - then < TTL for then, other in self.called)
        ]


def build(
    prompts: Sequence[Prompt] = (),
    *,
    at_start: bool = True,
    model: str = MODEL,
    price: Price = PRICES["claude-sonnet-5"],
    metrics: Any = None,
) -> World:
    """Build a warmer, not started; must run in a loop."""
    prompts = list(prompts) or [prompt("first")]
    provider, spans = Provider(), Spans()
    metrics = metrics or Metrics(TelemetrySettings(service_name="test", service_version="1"))
    loop = asyncio.get_running_loop()
    warmer = CacheWarmer(
        prompts,
        provider,
        Telling(metrics, spans),
        model=model,
        price=price,
        at_start=at_start,
        ttl=TTL,
        clock=loop.time,
    )
    return World(prompts, provider, warmer, spans, metrics)


@asynccontextmanager
async def warming(world: World) -> AsyncIterator[World]:
    """Keep a warmer running for the length of an `async with`."""
    world.warmer.start()
    try:
        yield world
    finally:
        await world.warmer.stop()


def poisson(calls_a_ttl: float, seed: int) -> Callable[[], float]:
    """Gaps of calls that know nothing of each other."""
    random = Random(seed)
    return lambda: random.expovariate(calls_a_ttl / TTL)
