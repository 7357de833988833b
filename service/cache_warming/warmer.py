"""The warmer: a background loop that is never in the way of a start or a stop."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, Protocol

from service.cache_warming.backoff import Backoff
from service.cache_warming.prefix import Prefix
from service.cache_warming.telling import TIMED_OUT, UNEXPECTED, PromptTelling, Telling
from service.limits.limiter import Clock
from service.llm.caching import minimum_cacheable
from service.llm.errors import InvalidCall, LlmError, Refused, Withheld
from service.llm.model import Completion, Prompt, Usage
from service.llm.prices import Price
from service.llm.tokens import estimate

TTL_SECONDS = 300.0
# Calls at a time; a provider that accepts and never answers holds no more than these.
CONCURRENCY = 2
STOP_SECONDS = 0.05
# Of the TTL: how often the loop looks what is due, and how long a call may take.
_LOOK = 1 / 60
_DEADLINE = 1 / 10
# The fault of the prompt, not of the provider: the others are still worth asking for.
_OWN_FAULTS = (InvalidCall, Refused, Withheld)


class Warm(Protocol):
    """Whoever makes the warm-up's calls."""

    async def warm(self, prompt: Prompt) -> Completion:
        """Send what real calls of a prompt begin with, its tools too, up to the breakpoint, and ask for one token.

        Raises:
            LlmError: it was not answered.
        """


class CacheWarmer:
    """Keeps the prompts' prefixes in the provider's cache while that costs less than it saves.

    Args:
        prompts: those in use; what is too short for the model to cache is named once and left alone.
        warm: makes the calls.
        telling: spans, metrics and log lines.
        model: who caches, by its name at the provider.
        price: that model's.
        at_start: whether every prefix is warmed once at the start, before anybody has called.
        ttl: seconds that the cache keeps a prefix after its last use.
        clock: seconds, never backwards.
    """

    def __init__(
        self,
        prompts: Iterable[Prompt],
        warm: Warm,
        telling: Telling,
        *,
        model: str,
        price: Price,
        at_start: bool = True,
        ttl: float = TTL_SECONDS,
        clock: Clock = time.monotonic,
    ) -> None:
        self._prompts = {prompt.name: prompt for prompt in prompts}
        self._warm = warm
        self._telling = telling
        self._model = model
        self._ttl = ttl
        self._clock = clock
        self._backoff = Backoff()
        self._prefixes: dict[str, Prefix] = {}
        self._links: Iterable[Any] = ()
        self._task: asyncio.Task[None] | None = None
        self._minimum = minimum_cacheable(model)
        now = clock()
        for name, prompt in self._prompts.items():
            telling.declare(prompt)
            if estimate(prompt.text) >= self._minimum:
                prefix = self._prefixes[name] = Prefix(prompt, price, ttl, now, due=at_start)
                telling.kept_warm(prompt, partial(self._age, prefix))

    def _age(self, prefix: Prefix) -> float:
        return prefix.age(self._clock())

    def start(self, links: Iterable[Any] = ()) -> None:
        """Begin in the background; nothing is awaited.

        Args:
            links: to the span of the start, for the traces of the cycles.
        """
        self._links = tuple(links)
        if too_short := sorted(self._prompts.keys() - self._prefixes.keys()):
            self._telling.too_short(too_short, self._model, self._minimum)
        self._task = asyncio.create_task(self._run(), name="cache-warming")

    async def stop(self) -> None:
        """End, whatever call is open: one that does not let go at once is left behind."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task], timeout=STOP_SECONDS)

    def called(self, prompt: str, usage: Usage, seconds: float = 0.0) -> None:
        """Take note of a real call: it counts as traffic, and keeps its prefix in the cache.

        Args:
            prompt: the name of the one that it began with.
            usage: what it took.
            seconds: how long it took; the cache's TTL begins with the call.
        """
        if prompt in self._prompts:
            self._telling.saved(prompt, usage)
        if (prefix := self._prefixes.get(prompt)) is not None:
            prefix.called(self._clock() - seconds, usage)

    async def _run(self) -> None:
        while True:
            now = self._clock()
            if now >= self._backoff.until:
                due = [prefix for prefix in self._prefixes.values() if prefix.wanted(now)]
                if due:
                    # One that failed comes last: it must not keep the others from being tried.
                    await self._cycle(sorted(due, key=attrgetter("tried")))
            await asyncio.sleep(self._ttl * _LOOK)

    async def _cycle(self, due: Sequence[Prefix]) -> None:
        turns = asyncio.Semaphore(CONCURRENCY)
        with self._telling.cycle(len(due), self._links):
            async with asyncio.TaskGroup() as group:
                for prefix in due:
                    group.create_task(self._in_turn(turns, prefix))

    async def _in_turn(self, turns: asyncio.Semaphore, prefix: Prefix) -> None:
        async with turns:
            now = self._clock()
            # Once the provider fails the rest of the cycle is not tried: they stay due, and come after the pause.
            if now >= self._backoff.until and prefix.wanted(now):
                with self._telling.prompt(prefix.prompt) as telling:
                    await self._refresh(prefix, telling)

    async def _refresh(self, prefix: Prefix, telling: PromptTelling) -> None:
        began = prefix.tried = self._clock()
        try:
            async with asyncio.timeout(self._ttl * _DEADLINE):
                completion = await self._warm.warm(prefix.prompt)
        except TimeoutError:
            telling.failed(TIMED_OUT, self._pause(None))
        except _OWN_FAULTS as error:
            telling.failed(error.kind, self._rest(prefix))
        except LlmError as error:
            telling.failed(error.kind, self._pause(getattr(error, "retry_after", None)))
        except Exception as error:  # noqa: BLE001 - the loop outlives whatever a call comes to
            telling.failed(UNEXPECTED, self._pause(None), error)
        else:
            self._backoff.succeeded()
            if prefix.used(began, completion.usage):
                telling.cached(completion.usage, self._until(prefix.due))
            else:
                telling.nothing_cached(self._rest(prefix))

    def _pause(self, retry_after: float | None) -> float:
        self._backoff.failed(self._clock(), retry_after)
        return self._until(self._backoff.until)

    def _rest(self, prefix: Prefix) -> float:
        prefix.rest(self._clock())
        return self._until(prefix.due)

    def _until(self, moment: float | None) -> float:
        return 0.0 if moment is None else max(moment - self._clock(), 0.0)
