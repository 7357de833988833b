"""What the agents must answer, and the conversation in which they may correct themselves once or twice."""

import re
from contextlib import suppress
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.briefings.tools import TOOLS, Toolbox
from service.llm.model import Answering, Call, Message, Prompt

MAX_TRIES = 3
MAX_TOOL_ROUNDS = 6
_FENCED = re.compile(r"\s*```(?:json)?\s*(.*?)\s*```\s*", re.DOTALL)
_AGAIN = "That is not the JSON object that your task asks for. Answer with that object alone."


class InvalidAnswer(Exception):
    """A model did not answer as it must, however often it was asked."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Plan(_Answer):
    """What to look for."""

    queries: Annotated[list[Annotated[str, Field(min_length=1, max_length=60)]], Field(min_length=1, max_length=5)]


class Choice(_Answer):
    """A job, and why."""

    job_id: Annotated[str, Field(max_length=64)]
    why: Annotated[str, Field(min_length=1, max_length=1000)]


class Ranking(_Answer):
    """Jobs, the best first."""

    ranking: Annotated[list[Choice], Field(max_length=20)]


class Written(_Answer):
    """The briefing as it is read."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    summary: Annotated[str, Field(min_length=1, max_length=2000)]
    items: Annotated[list[Choice], Field(max_length=10)]


class Verdict(_Answer):
    """Whether it may be shown."""

    verdict: Literal["accept", "revise"]
    remarks: Annotated[str, Field(max_length=2000)]


A = TypeVar("A", bound=_Answer)


class Speaker:
    """Whom a model is asked for.

    Args:
        model: who answers.
        user: the pseudonym that providers see.
    """

    def __init__(self, model: Answering, user: str) -> None:
        self._model = model
        self._user = user

    async def ask(self, prompt: Prompt, content: str, answer: type[A], max_tokens: int) -> A:
        """Put a task to the model until its answer has the right shape.

        Raises:
            InvalidAnswer: it has not, after `MAX_TRIES`.
            LlmError: the model cannot be asked.
        """
        messages = [Message("user", content)]
        for _ in range(MAX_TRIES):
            completion = await self._model.complete(Call(prompt, tuple(messages), max_tokens, self._user))
            found = _FENCED.fullmatch(completion.text)
            text = found[1] if found else completion.text
            with suppress(ValidationError):
                return answer.model_validate_json(text)
            # The text may be empty, and a turn may not.
            messages += [Message("assistant", completion.text.strip() or "{}"), Message("user", _AGAIN)]
        raise InvalidAnswer

    async def use_tools(self, prompt: Prompt, content: str, toolbox: Toolbox, max_tokens: int) -> None:
        """Let the model use tools until it has done or may do no more.

        Raises:
            LlmError: the model cannot be asked.
        """
        messages = [Message("user", content)]
        for _ in range(MAX_TOOL_ROUNDS):
            completion = await self._model.complete(Call(prompt, tuple(messages), max_tokens, self._user, tools=TOOLS))
            if not completion.tool_uses:
                return
            results = tuple([await toolbox.call(use) for use in completion.tool_uses])
            messages += [
                Message("assistant", completion.text, tool_uses=completion.tool_uses),
                Message("user", tool_results=results),
            ]
            if toolbox.spent:
                return
