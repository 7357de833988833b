"""What the agents hand on: plain JSON, without the curriculum vitae and the adverts, which are read where needed."""

from typing import TypedDict


class Item(TypedDict):
    """A job, and why."""

    job_id: str
    why: str


class Result(TypedDict):
    """A briefing as it is read."""

    title: str
    summary: str
    items: list[Item]


class State(TypedDict, total=False):
    """Where the work stands; a field is there once its agent has answered."""

    queries: list[str]
    found: list[str]
    ranking: list[Item]
    draft: Result
    remarks: str
    revisions: int
