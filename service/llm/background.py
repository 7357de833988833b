"""A language model for work that nobody waits for: limited and filtered as a caller's own, and patient."""

import asyncio
from dataclasses import dataclass

from service.llm.errors import Overspent
from service.llm.guarded import Guarded
from service.llm.model import Call, Completion


@dataclass(frozen=True, slots=True)
class Background:
    """Answers the calls of one caller's background work; a limit is waited for.

    Attributes:
        guarded: answers calls.
        policy: the rate limit policy that the work counts under.
        key: the caller's, for the limiter.
    """

    guarded: Guarded
    policy: str
    key: str

    async def complete(self, call: Call) -> Completion:
        """Answer a call, however long its caller's limits take: whoever has begun the work has its deadline.

        Raises:
            LlmError: there is no answer.
        """
        while True:
            try:
                return await self.guarded.complete(call, self.policy, self.key)
            except Overspent as overspent:
                await asyncio.sleep(overspent.retry_after)
