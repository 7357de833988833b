"""A text with placeholders where something is personal; everything else stays as it is written."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from telemetry.pii.compiled import CompiledRule


class Span(NamedTuple):
    """Where a value is.

    Attributes:
        start: where it begins (characters).
        end: where it ends.
        rule: what found it.
        allowed: whether it may be said.
        goes_on: whether it is the rest of what ended there.
        read: whether it was found in the text as it reads.
    """

    start: int
    end: int
    rule: CompiledRule
    allowed: bool = False
    goes_on: bool = False
    read: bool = False


class Masking:
    """Of a text that comes in pieces.

    Args:
        replaced: told the kind of each value that a placeholder takes the place of.
    """

    def __init__(self, replaced: Callable[[str], None]) -> None:
        self._replaced = replaced
        self._text = ""
        self._gone = 0
        self._masked = 0
        self._spans: list[Span] = []

    def add(self, text: str, bound: int, spans: Sequence[Span]) -> str:
        """Go on, and give what stands before a place, and has not been given.

        Args:
            text: more of it.
            bound: the place; whatever begins before it is known.
            spans: values that were found since the last time. Where they overlap they are one; what may be said as it
                reads may be written in part.
        """
        self._text += text
        if not spans and not self._spans:
            return self._between(bound) if bound > self._gone else ""
        pieces: list[str] = []
        self._spans = sorted((*self._spans, *spans), key=lambda span: (span.start, not span.read))
        said = [span for span in self._spans if span.allowed and span.read]
        for span in self._spans:
            if span.start >= bound:
                break
            if span.allowed or any(each.start <= span.start and span.end <= each.end for each in said):
                continue
            if span.start >= self._masked + span.goes_on:
                pieces += (self._between(span.start), span.rule.placeholder.decode())
                self._replaced(span.rule.rule.kind)
            self._masked = max(self._masked, span.end)
        self._spans = [span for span in self._spans if span.start >= bound or (span.end > bound and span in said)]
        pieces.append(self._between(bound))
        return "".join(pieces)

    def _between(self, end: int) -> str:
        """Give what is not masked before a place, and let go of all of it."""
        length = end - self._gone
        if length <= 0:
            return ""
        text = self._text[:length]
        self._text = self._text[length:]
        if self._masked > self._gone:
            text = text[self._masked - self._gone :]
        self._gone = end
        return text
