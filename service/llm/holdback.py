"""What a model says, on its way to the caller: personal values are replaced, and a canary ends it.

They are looked for in the text as it is written and as it reads (`reader`), and are replaced where they are written;
everything else stays as it is. Only where both differ are both followed: plain text is looked at once. However an
answer is divided into pieces, the same comes out, and it is what comes out of the whole at once.
"""

from collections.abc import Sequence

from service.llm.allowed import Allowed
from service.llm.cutting import CONTEXT
from service.llm.masking import Masking, Span
from service.llm.personal import Personal
from service.llm.reader import Pair, Reader
from service.llm.reading import Reading
from service.llm.search import Search

MAX_UNSEEN = 64
"""Of characters that cannot be seen so many in a row are kept; what is held of an answer has a bound."""

# Of a long piece this much is looked at in one go (characters).
_BLOCK = 1024


class HoldBack:
    """The filter of one answer.

    Args:
        personal: the rules.
        canary: what must not be said.
        allowed: texts whose values may be said: the caller's own profile, the advert.
    """

    def __init__(self, personal: Personal, canary: str, allowed: Sequence[str] = ()) -> None:
        self._reader = Reader()
        self._masking = Masking(personal.replaced)
        self._written = Search(personal, canary, Allowed(personal, allowed))
        # While it differs: the text as it reads, where that is written, and how many characters ago it differed.
        self._read: Search | None = None
        self._reading = Reading()
        self._alike = 0
        self._unseen = 0

    def feed(self, piece: str) -> str:
        """Take the next piece, and give what may go out now.

        Args:
            piece: of any length; lone surrogates become `?`.

        Raises:
            Withheld: the canary has been said; nothing of it has gone out, and nothing will.
        """
        if not piece.isascii():
            piece = piece.encode("utf-8", "replace").decode()
        if len(piece) > _BLOCK:
            return "".join([self.feed(piece[start : start + _BLOCK]) for start in range(0, len(piece), _BLOCK)])
        if self._read is not None or not self._reader.passes(piece):
            return self._both(self._reader.feed(piece))
        self._unseen = 0
        self._written.feed(piece)
        return self._masking.add(piece, self._written.done, self._written.found())

    def finish(self) -> str:
        """Give the rest.

        Raises:
            Withheld: the canary had been said.
        """
        out = self._both(self._reader.finish())
        self._written.finish()
        if self._read is not None:
            self._read.finish()
        return out + self._given("")

    def _both(self, pairs: list[Pair]) -> str:
        kept = [pair for pair in pairs if self._is_kept(pair)]
        text = "".join([written for written, _ in kept])
        read = "".join([read for _, read in kept])
        differs = read != text
        if differs and self._read is None:
            self._read = self._written.fork()
            self._reading = Reading(max(self._written.done - 1, 0), self._written.end)
        self._written.feed(text)
        if self._read is not None:
            self._reading.add(kept)
            self._alike = 0 if differs else self._alike + len(text)
            self._read.feed(read)
        return self._given(text)

    def _is_kept(self, pair: Pair) -> bool:
        self._unseen = 0 if pair[1] else self._unseen + 1
        return self._unseen <= MAX_UNSEEN

    def _given(self, text: str) -> str:
        """Give what has been looked at in both, of what has come and of more."""
        spans = self._written.found()
        if self._read is None:
            return self._masking.add(text, self._written.done, spans)
        spans = [*spans, *map(self._as_written, self._read.found())]
        bound = min(self._written.done, self._reading.start(self._read.done))
        self._reading.forget(self._read.done)
        if self._alike >= CONTEXT and self._read.meets(self._written):
            self._read = None
        return self._masking.add(text, bound, spans)

    def _as_written(self, span: Span) -> Span:
        start = self._reading.end(span.start) if span.goes_on else self._reading.start(span.start)
        return span._replace(start=start, end=self._reading.end(span.end), read=True)
