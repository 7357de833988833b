"""Answers through the filter: a stream's pieces, or all at once."""

from collections.abc import AsyncGenerator
from dataclasses import replace

from service.llm.holdback import HoldBack
from service.llm.model import Completion, Stream


async def held_back(stream: Stream, answer: HoldBack) -> AsyncGenerator[str | Completion, None]:
    """Give a stream as the caller may see it: pieces, none of them empty, and the completion with what they make.

    Args:
        stream: of a model.
        answer: the filter, new.

    Raises:
        Withheld: the canary has been said; the stream is not read any further.
    """
    pieces = []
    async for item in stream:
        said = answer.feed(item) if isinstance(item, str) else answer.finish()
        if said:
            pieces.append(said)
            yield said
        if isinstance(item, Completion):
            yield replace(item, text="".join(pieces))


def held_back_whole(completion: Completion, answer: HoldBack) -> Completion:
    """Give an answer that came at once as the caller may see it.

    Args:
        completion: of a model.
        answer: the filter, new.

    Raises:
        Withheld: the canary is in it.
    """
    return replace(completion, text=answer.feed(completion.text) + answer.finish())
