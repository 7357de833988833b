"""What a process has but one of, and several applications in it want: the last to begin has it, until it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Take = Callable[[], Callable[[], None]]
    """Takes the one thing, however often it is called; gives what puts it back as it was."""


class Turns:
    """Who has the one thing now, and what it was before anybody had it."""

    def __init__(self) -> None:
        self._takes: list[Take] = []
        self._put_back: Callable[[], None] | None = None

    def begin(self, take: Take) -> None:
        """Take the thing from whoever has it."""
        put_back = take()
        if not self._takes:
            self._put_back = put_back
        self._takes.append(take)

    def end(self, take: Take) -> None:
        """Leave, in whatever order; does nothing for one that never began."""
        if take not in self._takes:
            return
        self._takes.remove(take)
        if self._takes:
            self._takes[-1]()
        elif self._put_back is not None:
            self._put_back()
