"""What handlers are given, and the kinds of text that they accept."""

from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from service.access import CurrentPrincipal
from service.briefings.runner import Runner
from service.database import Database
from service.domain.ownership import owner_of
from service.domain.paging import MAX_CURSOR_LENGTH
from service.errors import UnprocessableContent

API = "/api/v1"

LINE = r"^[^\x00-\x1f\x7f]*$"
"""One line. NUL above all: PostgreSQL refuses it in text, and SQLite cuts strings at it."""

MAX_FIELDS = 64

PROSE = r"^[^\x00]*$"
"""Text of many lines."""

Note = Annotated[str, StringConstraints(max_length=2000, pattern=PROSE)]
Limit = Annotated[int, Query(ge=1, le=100, description="How many items at most.")]
Cursor = Annotated[str | None, Query(max_length=MAX_CURSOR_LENGTH, description="`next_cursor` of the page before.")]


class Body(BaseModel):
    """A request body: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _few_fields(cls, data: object) -> object:
        # Otherwise each of thousands of unknown fields would be an error of its own.
        if isinstance(data, dict) and len(data) > MAX_FIELDS:
            raise PydanticCustomError("too_many_fields", "Too many fields.")
        return data


class View(BaseModel):
    """A response body, read off a row."""

    model_config = ConfigDict(from_attributes=True)


def no_such_job() -> UnprocessableContent:
    """Give what the client is told when the job of a body is not in the catalogue."""
    return UnprocessableContent.at("body", "job_id", kind="job_unknown", message="There is no such job.")


async def current_database(request: Request) -> Database:
    """The application's database."""
    database: Database = request.app.state.database
    return database


async def current_owner(principal: CurrentPrincipal) -> str:
    """The owner of what the caller may see."""
    return owner_of(principal.subject)


async def current_runner(request: Request) -> Runner:
    """What works off the application's briefings."""
    runner: Runner = request.app.state.briefings
    return runner


CurrentDatabase = Annotated[Database, Depends(current_database)]
CurrentOwner = Annotated[str, Depends(current_owner)]
CurrentRunner = Annotated[Runner, Depends(current_runner)]
