"""Briefings: agents that plan, search the catalogue, rank, write and criticise, in the background of a request."""

from typing import TYPE_CHECKING

from service.briefings.silence import close_sinks

if TYPE_CHECKING:
    from service.briefings.agents import Parts
    from service.briefings.graph import Pipeline


def load_pipeline(parts: "Parts") -> "Pipeline":
    """Make what writes a briefing; the first time it imports LangGraph, most of a second and 30 MiB."""
    close_sinks()
    from service.briefings.graph import Pipeline  # noqa: PLC0415 - after the sinks are closed, and off the event loop

    return Pipeline(parts)
