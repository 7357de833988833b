"""Answers for callers: admitted, paid for, filtered, and ended where nobody listens any more."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from service.llm.answering import held_back
from service.llm.errors import Interrupted, Late, Unavailable
from service.llm.guarded import Guarded
from service.llm.model import WHOLE, Call, Completion, Message, Prompt


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
        guarded: answers calls.
        prompts: the instructions by name, marked with their canaries.

    Attributes:
        personal: what a model is neither told of people nor may say.
    """

    def __init__(self, guarded: Guarded, prompts: Mapping[str, Prompt]) -> None:
        self._guarded = guarded
        self._prompts = prompts
        self.personal = guarded.personal

    def version(self, prompt: str) -> str:
        """Give the version of the instructions of that name."""
        return self._prompts[prompt].version

    async def whole(self, ask: Ask) -> Completion:
        """Answer as a whole, in words that may be shown.

        Raises:
            LlmError: there is no answer.
        """
        return _all(await self._guarded.complete(self._call(ask), ask.policy, ask.asker.key, ask.allowed))

    async def pieces(self, ask: Ask) -> AsyncGenerator[str | Completion, None]:
        """Answer piece by piece, in words that may be shown; the last item is the completion that they make.

        Raises:
            LlmError: it broke off, or there is none.
        """
        call, begun = self._call(ask), False
        try:
            async with (
                self._guarded.admitted(call, ask.policy, ask.asker.key) as charge,
                self._guarded.model.stream(call, charge) as answer,
                aclosing(held_back(answer, self._guarded.screen(call.prompt, ask.allowed))) as shown,
            ):
                async for item in shown:
                    if isinstance(item, Completion):
                        self._guarded.called(ask.prompt, item)
                        _all(item)
                    begun = True
                    yield item
        except Late:
            if begun:
                raise
            # What has come was held back: for the caller nothing has begun, as with an answer that comes at once.
            raise Unavailable(reasons=("timeout",)) from None

    def _call(self, ask: Ask) -> Call:
        prompt = self._prompts[ask.prompt]
        return Call(
            prompt=prompt,
            messages=(Message("user", ask.text),),
            max_tokens=ask.max_tokens,
            user=ask.asker.pseudonym,
        )


def _all(completion: Completion) -> Completion:
    """Give an answer that is whole: half a letter is none.

    Raises:
        Interrupted: it would have gone on, or says nothing.
    """
    if completion.finish_reason not in WHOLE or not completion.text.strip():
        raise Interrupted
    return completion
