"""A language model for work that nobody waits for: limited and filtered as a caller's own, and patient."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from service.llm.errors import Overspent
from service.llm.guarded import Guarded
from service.llm.json_escapes import in_characters
from service.llm.model import Call, Completion

Aside = Callable[[], AbstractAsyncContextManager[None]]
"""Gives what is entered while a limit is waited for: it gives up what others could use meanwhile."""


@dataclass(frozen=True, slots=True)
class Background:
    """Answers the calls of one caller's background work; a limit is waited for.

    Attributes:
        guarded: answers calls.
        policy: the rate limit policy that the work counts under.
        key: the caller's, for the limiter.
        aside: what is entered while a limit is waited for.
    """

    guarded: Guarded
    policy: str
    key: str
    aside: Aside

    async def complete(self, call: Call) -> Completion:
        """Answer a call, however long its caller's limits take: whoever has begun the work has its deadline.

        Raises:
            LlmError: there is no answer.
        """
        while True:
            try:
                # Agents answer in JSON, and nothing that it escapes may pass for something else.
                return await self.guarded.complete(call, self.policy, self.key, written=in_characters)
            except Overspent as overspent:
                async with self.aside():
                    await asyncio.sleep(overspent.retry_after)
