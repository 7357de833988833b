"""A way out of the process: everything that takes it is scrubbed, or does not leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from telemetry.pii.item import Item

if TYPE_CHECKING:
    from collections.abc import Callable

    from telemetry.pii.scrubber import Scrubber

T = TypeVar("T")


class Tally(Protocol):
    """Who counts what the sinks do."""

    def redacted(self, rule: str, sink: str) -> None:
        """Count a redaction."""

    def failed(self, sink: str) -> None:
        """Count an item that could not be scrubbed and was not sent."""


class Sink:
    """One sink's scrubbing.

    Args:
        name: as the metrics call it.
        scrubber: the policy.
        tally: counts redactions and failures.
        cut_at: length (characters) at which texts were cut before they come here; None: they are whole.
    """

    def __init__(self, name: str, scrubber: Scrubber, tally: Tally, cut_at: int | None = None) -> None:
        self.name = name
        self.scrubber = scrubber
        self._tally = tally
        self._cut_at = cut_at

    def refuse(self) -> None:
        """Count an item that is not sent, since there is no way to scrub what it is made of."""
        self._tally.failed(self.name)

    def scrub(self, how: Callable[[Item, T], T], item: T) -> T | None:
        """Scrub one item.

        Args:
            how: walks the item; whatever it raises loses the item, never the caller.
            item: to be scrubbed.

        Returns:
            The scrubbed item, or None: it must not be sent.
        """
        walk = Item(self.scrubber, self._cut_at)
        try:
            scrubbed = how(walk, item)
        except Exception:  # noqa: BLE001 - fails closed, whatever it was
            self._tally.failed(self.name)
            return None
        for rule, _ in walk.found:
            self._tally.redacted(rule, self.name)
        return scrubbed
