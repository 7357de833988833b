"""Answers for callers: admitted, paid for, filtered, and ended where nobody listens any more."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from service.llm.answering import held_back, held_back_whole
from service.llm.canary import Canaries
from service.llm.errors import Interrupted
from service.llm.holdback import HoldBack
from service.llm.model import WHOLE, Call, Completion, LanguageModel, Message, Prompt
from service.llm.personal import Personal
from service.llm.records import Bill, Charge
from service.llm.tokens import estimate_input, reserve


class Admissions(Protocol):
    """What callers may have."""

    def admitted(self, policy: str, key: str, *, reserve: int) -> AbstractAsyncContextManager[Charge]:
        """Hold a slot and tokens of a caller while the context is open.

        Raises:
            Overspent: a limit does not allow it now.
            NeverFits: it never will.
        """


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks.

    Attributes:
        key: the limiter's.
        pseudonym: for the provider.
    """

    key: str
    pseudonym: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What a caller wants.

    Attributes:
        policy: the rate limit policy of the route.
        asker: who asks.
        prompt: name of the instructions.
        text: what they are applied to; what others wrote stands in it as `untrusted`.
        max_tokens: of the answer.
        allowed: texts whose addresses and numbers may be repeated.
    """

    policy: str
    asker: Asker
    prompt: str
    text: str
    max_tokens: int
    allowed: tuple[str, ...] = ()


class Assistant:
    """The language model as routes have it.

    Args:
        model: answers calls.
        prompts: the instructions by name, marked with their canaries.
        admissions: what callers may have.
        canaries: of the prompts.
        personal: what a model must not say of people.
        called: told of each prompt's name and what was answered.

    Attributes:
        personal: what a model is neither told of people nor may say.
    """

    def __init__(
        self,
        model: LanguageModel,
        prompts: Mapping[str, Prompt],
        *,
        admissions: Admissions,
        canaries: Canaries,
        personal: Personal,
        called: Callable[[str, Completion], None],
    ) -> None:
        self._model = model
        self._prompts = prompts
        self._admissions = admissions
        self._canaries = canaries
        self.personal = personal
        self._called = called

    def version(self, prompt: str) -> str:
        """Give the version of the instructions of that name."""
        return self._prompts[prompt].version

    async def whole(self, ask: Ask) -> Completion:
        """Answer as a whole, in words that may be shown.

        Raises:
            LlmError: there is no answer.
        """
        call = self._call(ask)
        async with self._admissions.admitted(ask.policy, ask.asker.key, reserve=reserve(call)) as charge:
            # Whoever leaves before the provider has said what it took has had the question read.
            charge.used(estimate_input(call))
            return _all(await self._model.complete(call, partial(self._shown, ask, Bill(charge))))

    async def pieces(self, ask: Ask) -> AsyncGenerator[str | Completion, None]:
        """Answer piece by piece, in words that may be shown; the last item is the completion that they make.

        Raises:
            LlmError: it broke off, or there is none.
        """
        call = self._call(ask)
        async with self._admissions.admitted(ask.policy, ask.asker.key, reserve=reserve(call)) as charge:
            charge.used(estimate_input(call))
            async with self._model.stream(call) as answer:
                try:
                    async with aclosing(held_back(answer, self._screen(ask))) as shown:
                        async for item in shown:
                            if isinstance(item, Completion):
                                self._called(ask.prompt, item)
                                _all(item)
                            yield item
                finally:
                    charge.used(answer.usage.total)

    def _shown(self, ask: Ask, bill: Bill, completion: Completion) -> Completion:
        bill.add(completion.usage)
        self._called(ask.prompt, completion)
        return held_back_whole(completion, self._screen(ask))

    def _call(self, ask: Ask) -> Call:
        prompt = self._prompts[ask.prompt]
        return Call(
            prompt=prompt,
            messages=(Message("user", ask.text),),
            max_tokens=ask.max_tokens,
            user=ask.asker.pseudonym,
        )

    def _screen(self, ask: Ask) -> HoldBack:
        return HoldBack(self.personal, self._canaries.of(self._prompts[ask.prompt]), ask.allowed)


def _all(completion: Completion) -> Completion:
    """Give an answer that is whole: half a letter is none.

    Raises:
        Interrupted: it would have gone on, or says nothing.
    """
    if completion.finish_reason not in WHOLE or not completion.text.strip():
        raise Interrupted
    return completion
