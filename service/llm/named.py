"""What a provider calls things, where it looks like a name of theirs: the rest may be somebody's and is not shown.

An answer's id, model and finish reason go into spans, the model also into answers and the database. They are short
words without spaces; a provider, or who answers in its place, may put anything there.
"""

import re

from service.llm.model import REFUSAL

UNNAMED = "other"
"""What stands where a provider said something else."""

FINISH_REASONS = frozenset(
    {"end_turn", "max_tokens", "model_context_window_exceeded", "pause_turn", REFUSAL, "stop_sequence", "tool_use"}
)
"""The API's (https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons)."""

# `msg_01XFDUDYJgAACzvnptvVoYEL`, `gen-1755553333-aBcDeFgHiJ`, `toolu_vrtx_01A09q90qw90lq917835lq9`; with a digit, and
# not of them alone, as a card's or an account's number is.
_ID = re.compile(r"(?=[^0-9]*[0-9])(?![a-z]+[0-9_-]{9,}\Z)[a-z]{2,12}[_-][A-Za-z0-9_-]{1,100}")
# `claude-sonnet-5-5`, `anthropic/claude-sonnet-5.5:beta`, `gpt-4o-2024-08-06`: words, versions and dates; neither is an
# address one, nor a number by which somebody is reached.
_MODEL = re.compile(
    r"(?=.{1,100}\Z)(?!.*[0-9]{9})[a-z][a-z0-9]*"
    r"(?:[-._/](?:[a-z0-9]*[a-z][a-z0-9]*|[0-9]{1,2}|[0-9]{4}|20[0-9]{6}))*(?::[a-z0-9]{1,16})?"
)


def identifier(said: object) -> str:
    """Give the id of an answer or of a tool's use, 113 characters at most.

    Args:
        said: whatever the provider sent.
    """
    return said if isinstance(said, str) and _ID.fullmatch(said) else UNNAMED


def model_name(said: object) -> str:
    """Give the name of what answered, 100 characters at most.

    Args:
        said: whatever the provider sent.
    """
    return said if isinstance(said, str) and _MODEL.fullmatch(said) else UNNAMED


def finish_reason(said: str) -> str:
    """Give why an answer ends, one of `FINISH_REASONS` or `UNNAMED`.

    Args:
        said: whatever the provider sent.
    """
    return said if said in FINISH_REASONS else UNNAMED
