"""The front door: files in, a scrubber out, and nothing in between that could be left out."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from telemetry.pii.reading import read_policy
from telemetry.pii.scrubber import Scrubber
from telemetry.pii.validation import validate

if TYPE_CHECKING:
    from pathlib import Path

    from telemetry.pii.model import Policy


def load(*more: Path, pseudonym_key: bytes | None = None) -> Scrubber:
    """Read, compile and validate the policy.

    Args:
        more: files of the user's own; each adds to what stands before, and a rule of the same name replaces one.
        pseudonym_key: key of the pseudonyms (bytes); None: plain placeholders.

    Raises:
        PolicyError: one line with file, rule, position and reason.
    """
    policy = read_policy(*more)
    _prove(policy)
    return Scrubber(policy, pseudonym_key)


@lru_cache(maxsize=4)
def _prove(policy: Policy) -> None:
    """Validate a policy; the same one needs no second proof in one process."""
    validate(Scrubber(policy))
