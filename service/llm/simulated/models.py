"""The models, and what differs between them."""

import re
from dataclasses import dataclass

from service.llm.caching import minimum_cacheable, plain_name

WINDOW = 200_000

_FAMILY = re.compile(r"claude-(?:(?:opus|sonnet|haiku|fable|mythos)-[0-9]|3|mythos-preview)")
_PREFILLED = re.compile(r"claude-(?:3|(?:opus|sonnet|haiku)-4(?:-[0-5])?(?:-[0-9]{8})?$)")


@dataclass(frozen=True, slots=True)
class Model:
    """A model that answers.

    Attributes:
        minimum_cacheable: tokens; a shorter prefix is not cached.
        prefill: whether the last message may be the beginning of the answer.
    """

    minimum_cacheable: int
    prefill: bool


def find(name: str) -> Model | None:
    """Give the model of a name, in Anthropic's spelling or in OpenRouter's (`anthropic/claude-haiku-4.5`), or None."""
    name = plain_name(name)
    if not _FAMILY.match(name):
        return None
    return Model(minimum_cacheable(name), _PREFILLED.match(name) is not None)
