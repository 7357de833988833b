"""What was asked of a language model and answered, as far as a span may show it: scrubbed first, cut afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from telemetry import names
from telemetry.pii import Sink, cut, without_end

if TYPE_CHECKING:
    from telemetry.pii import Item, Scrubber, Tally

# Characters of a preview, question and answer together.
PREVIEW_CHARS = 1000
_SIDE = PREVIEW_CHARS // 2 - len("output: ")


class Previewing(Protocol):
    """Makes previews."""

    def side(self, text: str, *, whole: bool = True) -> str:
        """Give as much of a text as may be shown.

        Args:
            text: of a question or an answer.
            whole: whether it ends where its author ended it; what breaks off may end in half a secret.
        """

    def attributes(self, asked: str, answered: str = "") -> dict[str, str]:
        """Give a span's attributes for what `side` gave."""


class Previews:
    """Makes previews by the privacy policy.

    Args:
        scrubber: the policy.
        tally: counts what it hid, as of the spans.
    """

    def __init__(self, scrubber: Scrubber, tally: Tally) -> None:
        self._sink = Sink("traces", scrubber, tally)

    def side(self, text: str, *, whole: bool = True) -> str:
        """Give the beginning of a text without what is sensitive in any of it.

        Returns:
            Nothing of a text that cannot be scrubbed, and nothing of the end of one that breaks off.
        """
        scrubbed = self._sink.scrub(_scrub, text)
        if scrubbed is None:
            return ""
        return cut(scrubbed if whole else without_end(scrubbed), _SIDE)

    def attributes(self, asked: str, answered: str = "") -> dict[str, str]:
        """Give the preview under our own name; the conventions' names of content are hidden wherever they go."""
        return {names.ATTR_GENAI_PREVIEW: f"input: {asked}\noutput: {answered}"}


class NoPreviews:
    """Content is off: nothing is looked at, and nothing is set."""

    def side(self, text: str, *, whole: bool = True) -> str:  # noqa: ARG002 - as of `Previews`
        """Give nothing."""
        return ""

    def attributes(self, asked: str, answered: str = "") -> dict[str, str]:  # noqa: ARG002
        """Give no attribute."""
        return {}


def _scrub(item: Item, text: str) -> str:
    return item.text(text, names.ATTR_GENAI_PREVIEW, names.ATTR_GENAI_PREVIEW)
