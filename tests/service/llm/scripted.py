"""Providers that do as a test says, and records that keep what they were told."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Self

from service.llm.attempt import AttemptFailed
from service.llm.model import Call, Completion, Message, Prompt, Usage

PROMPT = Prompt("test", "1", "Be brief.", "0" * 64)
CALL = Call(PROMPT, (Message("user", "Hello?"),), max_tokens=50, user="somebody")
USAGE = Usage(input_tokens=10, output_tokens=5)
STALL, DROP = "stall", "drop"


def completion(provider: str, text: str = "Hello!", finish_reason: str = "end_turn") -> Completion:
    """A finished answer."""
    return Completion(text, finish_reason, USAGE, provider, "m", "msg_1")


class ScriptedPieces:
    """The pieces that a script has, and how they end."""

    def __init__(self, provider: "Scripted", script: Iterable[object]) -> None:
        self.usage = Usage()
        self._provider = provider
        self._iterator = self._read(script)

    def __aiter__(self) -> AsyncIterator[str | Completion]:
        return self._iterator

    async def _read(self, script: Iterable[object]) -> AsyncIterator[str | Completion]:
        for step in script:
            if step is STALL:
                await asyncio.Event().wait()
            elif step is DROP:
                raise AttemptFailed("dropped", usage=self.usage)
            else:
                self.usage = Usage(input_tokens=10, output_tokens=self.usage.output_tokens + 1)
                yield step
        self.usage = USAGE
        yield completion(self._provider.name)

    async def close(self) -> None:
        self._provider.closed += 1


class Scripted:
    """A provider; each attempt takes the next step of its script, the last one for ever.

    Steps: a reason or an `AttemptFailed` fails, `STALL` never answers, a tuple is streamed piece by piece, and anything
    else answers.
    """

    def __init__(self, name: str, *script: object) -> None:
        self.name, self.model, self.address = name, "m", (f"{name}.test", 443)
        self._script = list(script) or ["ok"]
        self.asked = self.closed = 0

    async def _step(self) -> object:
        step = self._script[min(self.asked, len(self._script) - 1)]
        self.asked += 1
        if step is STALL:
            await asyncio.Event().wait()
        if isinstance(step, AttemptFailed):
            raise AttemptFailed(step.reason, retry_after=step.retry_after, usage=step.usage)
        return step

    async def complete(self, call: Call) -> Completion:
        step = await self._step()
        return step if isinstance(step, Completion) else completion(self.name)

    async def stream(self, call: Call) -> ScriptedPieces:
        step = await self._step()
        return ScriptedPieces(self, step if isinstance(step, tuple) else ("Hel", "lo!"))

    async def close(self) -> None: ...


class Notes:
    """Keeps what it is told of all calls, as tuples; also the providers' budgets, which are without end here."""

    def __init__(self) -> None:
        self.told: list[tuple] = []
        self.charged: list[int] = []
        self.open = 0

    def begin(self, call: Call, *, stream: bool) -> "Notes":
        self.told.append(("begin", stream))
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.told.append(("closed",))

    def __getattr__(self, name: str):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **given: self.told.append((name, *args, *given.values()))

    def of(self, name: str) -> list[tuple]:
        """What was told under a name."""
        return [each[1:] for each in self.told if each[0] == name]

    @asynccontextmanager
    async def provider(self, name: str, *, reserve: int):
        self.open += 1
        charge = Charge()
        try:
            yield charge
        finally:
            self.open -= 1
            self.charged.append(charge.tokens)


class Charge:
    """What was charged last."""

    def __init__(self) -> None:
        self.tokens = 0

    def used(self, tokens: int) -> None:
        self.tokens = tokens

    async def afford(self, tokens: int) -> None:
        """Has as many as are asked for."""
