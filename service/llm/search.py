"""Looks for values in a text that comes in pieces, and says how far it has looked.

Text is held only while its end could be inside a value or the start of a canary: the last word, or the last number with
its blanks, and never more than `LIMIT` characters. However the text is divided into pieces, the same is found. Values
longer than `LIMIT` are known by their first `LIMIT` characters (keys, tokens), and their rest belongs to them as it
comes; of an address whose @ comes later than that, only as much is found as was still held.
"""

from copy import copy
from typing import Self

from service.llm.allowed import Allowed
from service.llm.canary import Watch
from service.llm.cutting import CONTEXT, LIMIT, Cutter
from service.llm.errors import Withheld
from service.llm.masking import Span
from service.llm.personal import Found, Personal

# Without a place to cut, this much goes out whenever `LIMIT` is passed.
_STEP = 32
# A value that fills half of what is held and has not ended is a key or a token; its head tells that the rest is, too.
_LONG = LIMIT // 2
# What must follow a long value before it has surely ended: `-----END … PRIVATE KEY-----` is shorter.
_BEHIND = 64


class Search:
    """The search in one text.

    Args:
        personal: the rules.
        canary: what must not be said.
        allowed: the values that may be said.

    Attributes:
        done: how far it has looked: all that begins before is known (characters).
        spans: what it has found since it was last asked.
    """

    def __init__(self, personal: Personal, canary: str, allowed: Allowed) -> None:
        self._personal = personal
        self._cutter = Cutter(personal)
        self._watch = Watch(canary)
        self._allowed = allowed
        self.done = 0
        self.spans: list[Span] = []
        self._context = ""
        self._held = ""
        self._suspect = 0
        # How much of what is held has no place to be cut at: it is not asked again for each piece that comes.
        self._looked = 0
        # Of a long value that goes on: what stood before it, and its first characters.
        self._head = ""

    @property
    def end(self) -> int:
        """Where the text ends, so far."""
        return self.done + len(self._held)

    def fork(self) -> Self:
        """Give another that has read the same, for a text that goes on otherwise."""
        other = copy(self)
        other._watch, other.spans = self._watch.fork(), []  # noqa: SLF001 - one of its own kind
        return other

    def meets(self, other: Self) -> bool:
        """Say whether both will find the same from here on, if the same comes."""
        return (
            self._held == other._held
            and self._context == other._context
            and not (self._head or other._head or self._suspect or other._suspect)
        )

    def found(self) -> list[Span]:
        """Give what has been found since this was asked."""
        spans = self.spans
        if spans:
            self.spans = []
        return spans

    def feed(self, piece: str) -> None:
        """Take the next piece.

        Args:
            piece: of any length up to about a thousand characters, without lone surrogates.

        Raises:
            Withheld: the canary has been said, nothing of it before `done`.
        """
        self._suspect = self._watch.feed(piece)
        if self._watch.seen:
            raise Withheld
        self._held += piece
        self._advance()

    def finish(self) -> None:
        """Look at the rest: nothing comes any more."""
        self._suspect = 0
        self._advance(at_end=True)
        self._clean(self._held)
        self._held = ""

    def _advance(self, *, at_end: bool = False) -> None:
        while True:
            if self._head and not self._drop(at_end=at_end):
                break
            before = len(self._context)
            cuts = [cut - before for cut in self._cutter.cuts(self._context + self._held, before, self._looked)]
            # The last character's place depends on the next one.
            self._looked = 0 if cuts or len(self._held) > LIMIT else max(len(self._held) - 1, 0)
            if cuts:
                # What may be the start of a canary stays, with the word it is in.
                ready = [cut for cut in cuts if cut <= len(self._held) - self._suspect] if self._suspect else cuts
                if not ready:
                    break
                all_seen = len(self._held) <= LIMIT
                self._release(ready)
                if all_seen:
                    break
            elif len(self._held) > LIMIT:
                self._overflow()
            else:
                break

    def _release(self, cuts: list[int]) -> None:
        """Let go what stands before the last of some cuts."""
        part, rest = self._held[: cuts[-1]], self._held[cuts[-1] :]
        if self._personal.occurs(self._context + part):
            for start, end in zip([0, *cuts[:-1]], cuts, strict=True):
                self._clean(part[start:end])
        else:
            self.done += len(part)
            self._context = (self._context + part)[-CONTEXT:]
        self._held = rest

    def _clean(self, part: str) -> None:
        """Find what is personal in a part that ends where a value cannot go on."""
        window, begin = self._context + part, len(self._context)
        self._context = window[-CONTEXT:]
        self._find(self._personal.find(window), begin, len(window))

    def _find(self, found: list[Found], begin: int, end: int) -> None:
        """Note what was found in the part from `begin` to `end` of a window, and have done with it."""
        before, noted = self.done - begin, begin
        for value in found:
            if value.end <= noted or value.start >= end:
                continue
            start, stop, allowed = max(noted, value.start), min(value.end, end), value in self._allowed
            self.spans.append(Span(before + start, before + stop, value.rule, allowed))
            if not allowed:
                noted = stop
        self.done = before + end

    def _overflow(self) -> None:
        """Let go some of what has no place to be cut at."""
        window, begin = self._context + self._held[:LIMIT], len(self._context)
        found = self._personal.find(window)
        for value in found:
            start = max(begin, value.start)
            if value.end > len(window) - _BEHIND and value.end - start >= _LONG and value not in self._allowed:
                head = value.start + _LONG
                self._head = window[max(0, value.start - CONTEXT) : head]
                self._context = ""
                # Its last characters stay: they may say that it has ended.
                stop = max(head, value.end - _BEHIND)
                self._held = window[stop:] + self._held[LIMIT:]
                self._find(found, begin, start)
                self.spans.append(Span(self.done, self.done + stop - start, value.rule))
                self.done += stop - start
                return
        end = begin + _STEP
        for value in found:
            if value.start < end < value.end:
                end = value.start if value.start > begin else value.end
        self._find(found, begin, end)
        self._context, self._held = window[:end][-CONTEXT:], self._held[end - begin :]

    def _drop(self, *, at_end: bool) -> bool:
        """Go on with a long value.

        Returns:
            Whether it has ended.
        """
        edge = len(self._head)
        whole = self._head + self._held
        goes_on = [value for value in self._personal.find(whole) if value.start < edge <= value.end]
        end = max((value.end for value in goes_on), default=edge)
        ended = at_end or len(whole) - end >= _BEHIND
        stop = end if ended else max(edge, end - _BEHIND)
        if stop > edge:
            self.spans.append(Span(self.done, self.done + stop - edge, goes_on[0].rule, goes_on=True))
            self.done += stop - edge
        self._held = whole[stop:]
        if ended:
            # As a placeholder ends.
            self._head, self._context = "", "]"
        return ended
