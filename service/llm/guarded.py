"""A language model between its limits, which come before an answer, and its filter, which comes after it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from service.llm.answering import held_back_whole
from service.llm.canary import Canaries
from service.llm.holdback import HoldBack
from service.llm.model import Call, CallersCharge, Completion, LanguageModel, Prompt
from service.llm.personal import Personal
from service.llm.tokens import reserve


class Admissions(Protocol):
    """What callers may have."""

    def admitted(self, policy: str, key: str, *, reserve: int) -> AbstractAsyncContextManager[CallersCharge]:
        """Hold a slot and tokens of a caller while the context is open.

        Raises:
            Overspent: a limit does not allow it now.
            NeverFits: it never will.
        """


@dataclass(frozen=True, slots=True)
class Guarded:
    """The language model as callers may have it.

    Attributes:
        model: answers calls.
        admissions: what callers may have.
        canaries: of the prompts.
        personal: what a model is neither told of people nor may say.
        called: told of each prompt's name and what was answered.
    """

    model: LanguageModel
    admissions: Admissions
    canaries: Canaries
    personal: Personal
    called: Callable[[str, Completion], None]

    def admitted(self, call: Call, policy: str, key: str) -> AbstractAsyncContextManager[CallersCharge]:
        """Hold what a call may take while the context is open.

        Args:
            call: what is asked.
            policy: the rate limit policy that it counts under.
            key: whose call it is, for the limiter.

        Raises:
            Overspent: a limit does not allow it now.
            NeverFits: it never will.
        """
        return self.admissions.admitted(policy, key, reserve=reserve(call))

    async def complete(
        self,
        call: Call,
        policy: str,
        key: str,
        allowed: Sequence[str] = (),
        written: Callable[[str], str] = str,
    ) -> Completion:
        """Answer a call, in words that may be shown.

        Args:
            call: what is asked.
            policy: the rate limit policy that it counts under.
            key: whose call it is, for the limiter.
            allowed: texts whose addresses and numbers may be repeated.
            written: gives an answer as it is going to be read; what is looked for in it is looked for there.

        Raises:
            LlmError: there is no answer.
        """
        async with self.admitted(call, policy, key) as charge:
            return await self.model.complete(call, charge, partial(self._shown, call.prompt, allowed, written))

    def screen(self, prompt: Prompt, allowed: Sequence[str] = ()) -> HoldBack:
        """Give the filter of one answer to a prompt."""
        return HoldBack(self.personal, self.canaries.of(prompt), allowed)

    def _shown(
        self, prompt: Prompt, allowed: Sequence[str], written: Callable[[str], str], completion: Completion
    ) -> Completion:
        self.called(prompt.name, completion)
        answer = replace(completion, text=written(completion.text))
        return held_back_whole(answer, self.screen(prompt, allowed))
