"""Where what reads so is written: places in a read text, and in the text as it stands."""

from bisect import bisect_right
from collections.abc import Iterable
from operator import attrgetter
from typing import Self

from service.llm.reader import Pair, Reader


class _Run:
    """A part of a text: as long as what is written, character by character, or else one unit."""

    __slots__ = ("even", "read", "read_end", "written", "written_end")

    def __init__(self, read: int, read_end: int, written: int, written_end: int) -> None:
        self.read, self.read_end, self.written, self.written_end = read, read_end, written, written_end
        self.even = read_end - read == written_end - written


_READ_END = attrgetter("read_end")


class Reading:
    """How a text reads, from some place on.

    Args:
        start: that place, the same in both (characters).
        end: where the part ends that reads as it is written.
    """

    def __init__(self, start: int = 0, end: int = 0) -> None:
        self._read = self._written = end
        self._runs = [_Run(start, end, start, end)]

    @classmethod
    def of(cls, text: str) -> tuple[str, Self]:
        """Give how a whole text reads, and where."""
        reader, reading = Reader(), cls()
        pairs = [*reader.feed(text), *reader.finish()]
        reading.add(pairs)
        return "".join([read for _, read in pairs]), reading

    def add(self, pairs: Iterable[Pair]) -> None:
        """Go on."""
        for written, read in pairs:
            start, place = self._written, self._read
            self._written, self._read = start + len(written), place + len(read)
            if not read:
                continue
            last = self._runs[-1]
            if len(read) == len(written) and last.even and last.written_end == start:
                last.read_end, last.written_end = self._read, self._written
            else:
                self._runs.append(_Run(place, self._read, start, self._written))

    def start(self, place: int) -> int:
        """Give where the character at a place of the read text begins; behind the last: the end of what is written."""
        if place >= self._read:
            return self._written
        run = self._run(place)
        return run.written + place - run.read if run.even else run.written

    def end(self, place: int) -> int:
        """Give where the character before a place of the read text ends."""
        run = self._run(place - 1)
        return run.written + place - run.read if run.even else run.written_end

    def forget(self, place: int) -> None:
        """Forget what stands before a place of the read text, but for one character, so that looking is quick."""
        runs = self._runs
        over = next((number for number, run in enumerate(runs) if run.read_end >= place), len(runs) - 1)
        if over:
            del runs[:over]

    def _run(self, place: int) -> _Run:
        at = bisect_right(self._runs, place, key=_READ_END)
        return self._runs[min(at, len(self._runs) - 1)]
