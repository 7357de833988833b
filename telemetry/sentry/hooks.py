"""What the SDK asks before it keeps or sends something. None drops it; a hook that raised would send the original."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentry_sdk.serializer import serialize

from telemetry.sentry.causes import without_handled, without_quotations
from telemetry.sentry.event import scrub_crumb, scrub_event
from telemetry.sentry.records import scrub_record

if TYPE_CHECKING:
    from telemetry.pii import Item, Sink


class Hooks:
    """The hooks of one client; none raises.

    Args:
        sink: scrubs, and counts what it could not.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def event(self, event: Any, hint: Any) -> Any:  # noqa: ANN401 - Sentry's own loose types, here and below
        """Scrub an event, serialised."""

        def scrub(item: Item, event: dict[str, Any]) -> dict[str, Any]:
            return scrub_event(item, without_quotations(event, hint))

        return self._sink.scrub(scrub, event)

    def transaction(self, event: Any, _hint: Any) -> Any:  # noqa: ANN401
        """Scrub a transaction, serialised."""
        return self._sink.scrub(scrub_event, event)

    def breadcrumb(self, crumb: Any, _hint: Any) -> Any:  # noqa: ANN401
        """Scrub a breadcrumb that is kept for a later event."""

        def scrub(item: Item, crumb: Any) -> Any:  # noqa: ANN401
            # As the SDK will do for the event: afterwards there are no objects and no cycles.
            return scrub_crumb(item, without_handled(serialize(crumb), "message"))

        return self._sink.scrub(scrub, crumb)

    def record(self, record: Any, _hint: Any) -> Any:  # noqa: ANN401
        """Scrub a log or a metric."""

        def scrub(item: Item, record: dict[str, Any]) -> dict[str, Any]:
            return scrub_record(item, without_handled(record, "body"))

        return self._sink.scrub(scrub, record)
