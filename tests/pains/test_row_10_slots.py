"""Row 10: concurrency slots leak on disconnect or error until nothing is admitted (litellm#20256)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from starlette.responses import StreamingResponse

from service import problems
from service.errors import LlmLimited
from service.limits import in_memory_llm_limits
from service.llm.errors import Overspent
from tests.telemetry.asgi import serving, watch

SLOTS, BUDGET, TIMES = 2, 1000, 20


@dataclass(frozen=True)
class Limits:
    """A policy."""

    tokens: int = BUDGET
    window: float = 60.0
    concurrency: int = SLOTS


async def until_sent() -> AsyncIterator[AsyncExitStack]:
    """What is entered here is left when the response is sent or given up, whether its body was begun or not."""
    async with AsyncExitStack() as stack:
        yield stack


UntilSent = Annotated[AsyncExitStack, Depends(until_sent)]


async def words(ending: str) -> AsyncIterator[bytes]:
    """A provider's answer, which ends as it is told."""
    yield b"one "
    if ending == "error":
        raise ConnectionError
    if ending == "timeout":
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
    if ending == "stall":
        await asyncio.Event().wait()
    yield b"two"


class Service:
    """A service with two limited routes, which answer in pieces and in one."""

    def __init__(self) -> None:
        self.app = FastAPI()
        problems.install(self.app)
        telemetry, self.recorder = watch(self.app)
        telemetry.metrics.allow("policy", "llm")
        self.limits = in_memory_llm_limits({"llm": Limits()}, {}, telemetry.metrics)
        self.admissions = 0
        self.begun = asyncio.Event()

        @self.app.get("/stream")
        async def stream(ending: str, stack: UntilSent) -> StreamingResponse:
            await self.admit(stack)  # before the status line: a refusal is a 429, not a broken stream
            return StreamingResponse(words(ending))

        @self.app.get("/json")
        async def json(ending: str, stack: UntilSent) -> str:
            await self.admit(stack)
            return b"".join([word async for word in words(ending)]).decode()

    async def admit(self, stack: AsyncExitStack) -> None:
        """Hold a slot and half of the budget; nothing of it is used."""
        try:
            admission = await stack.enter_async_context(self.limits.admitted("llm", "sub:ada", reserve=BUDGET // SLOTS))
        except Overspent as error:
            raise LlmLimited("llm", error.limit, error.retry_after) from error
        admission.used(0)
        self.admissions += 1
        self.begun.set()

    def held(self) -> tuple[float | None, float | None]:
        """Slots and tokens that are taken."""
        metric = self.recorder.metric
        return metric("rate_limit_concurrency_in_use", policy="llm"), metric("llm_tokens_reserved", policy="llm")


@asynccontextmanager
async def limited():
    """The service, and a check that in the end nothing is held and all slots can be had at once."""
    service = Service()
    async with serving(service.app) as served:
        yield service, served
        assert service.admissions == TIMES  # none was refused for what an earlier one had left behind
        assert service.held() == (0, 0)
        async with AsyncExitStack() as stack:
            for _ in range(SLOTS):
                await service.admit(stack)
            assert service.held() == (SLOTS, BUDGET)
            answer = await served.get("/stream?ending=whole")
            assert (answer.status, answer.header("retry-after")) == (429, "2")


@pytest.mark.parametrize("ending", ["whole", "error", "timeout"])
@pytest.mark.parametrize("path", ["/stream", "/json"])
async def test_row_10_a_slot_is_freed_however_an_answer_ends(path, ending):
    """litellm#20256: ten times as many answers as there are slots, all of one ending, and each is admitted."""
    async with limited() as (_, served):
        for _ in range(TIMES):
            answer = await served.get(f"{path}?ending={ending}")
            assert answer.status == (500 if path == "/json" and ending != "whole" else 200)


@pytest.mark.parametrize("messages", [1, 2])
async def test_row_10_a_slot_is_freed_when_the_client_leaves(messages):
    """litellm#20256: the client goes before the first piece, or while the provider stalls after it."""
    async with limited() as (_, served):
        for _ in range(TIMES):
            await served.get("/stream?ending=stall", leave_after=messages)


@pytest.mark.parametrize("path", ["/stream", "/json"])
async def test_row_10_a_slot_is_freed_when_the_request_is_cancelled(path):
    """litellm#20256: the server gives a request up, as it does when it stops, while the provider stalls."""
    async with limited() as (service, served):
        for _ in range(TIMES):
            service.begun.clear()
            task = asyncio.create_task(served.get(f"{path}?ending=stall"))
            await service.begun.wait()
            assert service.held() == (1, BUDGET // SLOTS)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
