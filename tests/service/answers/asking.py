"""What the tests ask of the routes, and how they read what comes."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from service.domain.catalogue import catalogue

ME, LETTERS, QUESTIONS = "/api/v1/profiles/me", "/api/v1/cover-letters", "/api/v1/questions"
JOB = next(catalogue()).id
EVENTS = {"Accept": "text/event-stream"}
CV = "Ten years of Python and databases at Northwind in Leeds.\nI like small teams and careful measurements."
PROFILE = {"name": "Ada Lovelace", "email": "ada@example.org", "phone": "+44 20 7946 0018", "cv_content": CV}
LETTER, QUESTION = {"job_id": JOB}, {"question": "What am I good at?"}


class Event(NamedTuple):
    """A server-sent event; `data` is parsed."""

    name: str
    data: Any


def events(text: str) -> list[Event]:
    """The events of a stream, without its comments."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if fields:
            found.append(Event(fields["event"], json.loads(fields["data"])))
    return found


def said(stream: Sequence[Event]) -> str:
    """The text of its tokens."""
    return "".join(event.data["text"] for event in stream if event.name == "token")


def problem(response: httpx.Response) -> dict[str, Any]:
    """The problem that a response is, with the status that it says."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    told = response.json()
    assert told["status"] == response.status_code
    return told


def code(told: dict[str, Any]) -> str:
    """A problem's slug."""
    return told["type"].removeprefix("urn:clearstory:problem:")


def letters(database: Path) -> list[str]:
    """The contents of all letters that are kept."""
    with closing(sqlite3.connect(database)) as reader:
        return [row[0] for row in reader.execute("SELECT content FROM cover_letters")]
