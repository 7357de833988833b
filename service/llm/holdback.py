"""What a model says, on its way to the caller: personal values are replaced, and a canary ends it.

Text is held only while its end could be inside a value or the start of a canary: the last word, or the last number with
its blanks, and never more than `LIMIT` characters. However the text is divided into pieces, the same comes out, and it
is what comes out of the whole text at once. Values longer than `LIMIT` are known by their first `LIMIT` characters
(keys, tokens), and their rest is dropped as it comes; of an address whose @ comes later than that, only as much is
replaced as was still held.
"""

from collections.abc import Sequence

from service.llm.allowed import Allowed
from service.llm.canary import Watch
from service.llm.cutting import CONTEXT, LIMIT, Cutter
from service.llm.errors import Withheld
from service.llm.personal import Found, Personal

# Of a long piece this much is looked at in one go (characters).
_BLOCK = 1024
# Without a place to cut, this much goes out whenever `LIMIT` is passed.
_STEP = 32
# A value that fills half of what is held and has not ended is a key or a token; its head tells that the rest is, too.
_LONG = LIMIT // 2
# What must follow a long value before it has surely ended: `-----END … PRIVATE KEY-----` is shorter.
_BEHIND = 64


class HoldBack:
    """The filter of one answer.

    Args:
        personal: the rules.
        canary: what must not be said.
        allowed: texts whose values may be said: the caller's own profile, the advert.
    """

    def __init__(self, personal: Personal, canary: str, allowed: Sequence[str] = ()) -> None:
        self._personal = personal
        self._cutter = Cutter(personal)
        self._watch = Watch(canary)
        self._allowed = Allowed(personal, allowed)
        self._context = ""
        self._held = ""
        self._suspect = 0
        # How much of what is held has no place to be cut at: it is not asked again for each piece that comes.
        self._looked = 0
        # Of a long value that is being dropped: what stood before it, and its first characters.
        self._head = ""

    def feed(self, piece: str) -> str:
        """Take the next piece, and give what may go out now.

        Args:
            piece: of any length; lone surrogates become `?`.

        Raises:
            Withheld: the canary has been said; nothing of it has gone out, and nothing will.
        """
        if not piece.isascii():
            piece = piece.encode("utf-8", "replace").decode()
        if len(piece) <= _BLOCK:
            return self._fed(piece)
        return "".join(self._fed(piece[start : start + _BLOCK]) for start in range(0, len(piece), _BLOCK))

    def finish(self) -> str:
        """Give the rest.

        Raises:
            Withheld: the canary had been said.
        """
        if self._watch.seen:
            raise Withheld
        self._suspect = 0
        out = self._advance(at_end=True)
        rest, self._held = self._held, ""
        return out + self._clean(rest)

    def _fed(self, piece: str) -> str:
        self._suspect = self._watch.feed(piece)
        if self._watch.seen:
            self._held = ""
            raise Withheld
        self._held += piece
        return self._advance()

    def _advance(self, *, at_end: bool = False) -> str:
        out = []
        while True:
            if self._head and not self._drop(at_end=at_end):
                break
            before = len(self._context)
            cuts = [cut - before for cut in self._cutter.cuts(self._context + self._held, before, self._looked)]
            # The last character's place depends on the next one.
            self._looked = 0 if cuts or len(self._held) > LIMIT else max(len(self._held) - 1, 0)
            if cuts:
                # What may be the start of a canary stays, with the word it is in.
                ready = [cut for cut in cuts if cut <= len(self._held) - self._suspect]
                if not ready:
                    break
                all_seen = len(self._held) <= LIMIT
                out.append(self._release(ready))
                if all_seen:
                    break
            elif len(self._held) > LIMIT:
                out.append(self._overflow())
            else:
                break
        return "".join(out)

    def _release(self, cuts: list[int]) -> str:
        """Let go what stands before the last of some cuts."""
        part, rest = self._held[: cuts[-1]], self._held[cuts[-1] :]
        if self._personal.occurs(self._context + part):
            starts = [0, *cuts[:-1]]
            text = "".join(self._clean(part[start:end]) for start, end in zip(starts, cuts, strict=True))
        else:
            text = part
            self._context = (self._context + part)[-CONTEXT:]
        self._held = rest
        return text

    def _clean(self, part: str) -> str:
        """Replace what is personal in a part that ends where a value cannot go on."""
        window, begin = self._context + part, len(self._context)
        self._context = window[-CONTEXT:]
        return self._replaced(window, self._personal.find(window), begin, len(window))

    def _replaced(self, window: str, found: list[Found], begin: int, end: int) -> str:
        """Give `window[begin:end]` with placeholders."""
        pieces: list[str] = []
        done = begin
        for value in found:
            if value.end <= done or value.start >= end or value in self._allowed:
                continue
            pieces += (window[done : max(done, value.start)], self._placeholder(value))
            done = min(value.end, end)
        return "".join((*pieces, window[done:end]))

    def _placeholder(self, value: Found) -> str:
        self._personal.replaced(value.rule.rule.kind)
        return value.rule.rule.placeholder

    def _overflow(self) -> str:
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
                self._held = window[max(head, value.end - _BEHIND) :] + self._held[LIMIT:]
                return self._replaced(window, found, begin, start) + self._placeholder(value)
        end = begin + _STEP
        for value in found:
            if value.start < end < value.end:
                end = value.start if value.start > begin else value.end
        out = self._replaced(window, found, begin, end)
        self._context, self._held = window[:end][-CONTEXT:], self._held[end - begin :]
        return out

    def _drop(self, *, at_end: bool) -> bool:
        """Drop what goes on with a long value.

        Returns:
            Whether it has ended.
        """
        edge = len(self._head)
        whole = self._head + self._held
        end = max((value.end for value in self._personal.find(whole) if value.start < edge <= value.end), default=edge)
        if len(whole) - end < _BEHIND and not at_end:
            self._held = whole[max(edge, end - _BEHIND) :]
            return False
        self._held = whole[end:]
        # As a placeholder ends.
        self._head, self._context = "", "]"
        return True
