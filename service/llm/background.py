"""A language model for work that nobody waits for: limited and filtered as a caller's own, and patient."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from service.llm.answering import held_back_whole
from service.llm.assistant import Admissions, Asker
from service.llm.canary import Canaries
from service.llm.errors import Overspent
from service.llm.holdback import HoldBack
from service.llm.model import Call, Completion, LanguageModel, Prompt
from service.llm.personal import Personal
from service.llm.records import Bill
from service.llm.tokens import estimate_input, reserve


@dataclass(frozen=True, slots=True)
class Background:
    """Answers the calls of one caller's background work; a limit is waited for.

    Attributes:
        model: answers calls.
        admissions: what the caller may have.
        policy: the rate limit policy that the work counts under.
        asker: the caller.
        canaries: of the prompts.
        personal: what a model must not say of people.
        called: told of each prompt's name and what was answered.
    """

    model: LanguageModel
    admissions: Admissions
    policy: str
    asker: Asker
    canaries: Canaries
    personal: Personal
    called: Callable[[str, Completion], None]

    async def complete(self, call: Call) -> Completion:
        """Answer a call, however long its caller's limits take: whoever has begun the work has its deadline.

        Raises:
            LlmError: there is no answer.
        """
        while True:
            try:
                async with self.admissions.admitted(self.policy, self.asker.key, reserve=reserve(call)) as charge:
                    charge.used(estimate_input(call))
                    return await self.model.complete(call, partial(self._shown, call.prompt, Bill(charge)))
            except Overspent as overspent:
                await asyncio.sleep(overspent.retry_after)

    def _shown(self, prompt: Prompt, bill: Bill, completion: Completion) -> Completion:
        bill.add(completion.usage)
        self.called(prompt.name, completion)
        return held_back_whole(completion, HoldBack(self.personal, self.canaries.of(prompt)))
