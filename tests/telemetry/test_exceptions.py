"""Exceptions as text and data: whole chains, without what they quote."""

import sqlite3
from contextlib import closing
from typing import Any

import anthropic
import httpx2
import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from telemetry.exceptions import chain, exception_attributes, raised, traceback_data, traceback_text
from telemetry.quotations import message_of


def caught(function: Any) -> BaseException:
    """Give what a function raises."""
    try:
        function()
    except BaseException as error:  # noqa: BLE001 - any is wanted
        return error
    raise AssertionError("nothing was raised")


def of_a_database() -> None:
    """Insert a row twice."""
    engine = create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            connection.execute(text("create table people (name text unique)"))
            for _ in range(2):
                connection.execute(text("insert into people values (:name)"), {"name": "Ada Lovelace"})
    finally:
        engine.dispose()


def of_a_model() -> None:
    """Be refused by a provider that quotes what it was sent."""
    response = httpx2.Response(400, request=httpx2.Request("POST", "https://api.example/v1/messages"))
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": "no: Ada Lovelace of London"}}
    raise anthropic.BadRequestError(f"Error code: 400 - {body}", response=response, body=body)


def quoting() -> None:
    """Say what a database said."""
    try:
        of_a_database()
    except DBAPIError as error:
        failure = RuntimeError(f"not stored: {error}")
        failure.add_note(f"it was {error}")
        raise failure from error


def test_database_error_says_its_code() -> None:
    """A database error is told by its error name: neither statement nor parameters, in no form of it."""
    error = caught(of_a_database)
    assert message_of(error) == "SQLITE_CONSTRAINT_UNIQUE"
    for told in (traceback_text(error), str(traceback_data(error)), str(exception_attributes(error))):
        assert "Lovelace" not in told
        assert "insert" not in told.lower()


def test_models_error_says_its_status() -> None:
    """A provider's refusal, which quotes the prompt, is told by its status, also where it is only the context."""
    error = caught(of_a_model)
    failure = RuntimeError(f"told: {error}")
    failure.__context__ = error
    for told in (traceback_text(failure), str(traceback_data(failure)), str(exception_attributes(failure))):
        assert "Lovelace" not in told
    assert (message_of(error), message_of(failure)) == ("HTTP 400", "told: HTTP 400")


def test_error_in_a_models_stream_says_no_status() -> None:
    """An error without a status is told without its text; one that quotes nothing keeps its own."""
    request = httpx2.Request("POST", "https://api.example/v1/messages")
    assert message_of(anthropic.APIError("Ada Lovelace", request, body={"message": "Ada Lovelace"})) == "no status"
    assert message_of(anthropic.APIConnectionError(request=request)) == "Connection error."


def test_whoever_quotes_a_database_says_its_code() -> None:
    """An exception, and a note, that quote a database error's text have its code in the place of it."""
    error = caught(quoting)
    assert message_of(error) == "not stored: SQLITE_CONSTRAINT_UNIQUE"
    assert "Lovelace" not in traceback_text(error)
    assert traceback_data(error)[0]["exc_notes"] == ["it was SQLITE_CONSTRAINT_UNIQUE"]


def test_driver_error_says_its_code() -> None:
    """A driver's own error is told by its code, as SQLAlchemy's is."""
    with closing(sqlite3.connect(":memory:")) as connection:
        error = caught(lambda: connection.execute("select 'Ada Lovelace' from nowhere"))
    assert message_of(error) == "SQLITE_ERROR"


def test_validation_error_says_what_and_how_often() -> None:
    """A validation error is told by the types of its errors, without the input."""

    class Person(BaseModel):
        age: int
        height: int

    error = caught(lambda: Person(age="Ada", height="Lovelace"))
    assert isinstance(error, ValidationError)
    assert message_of(error) == "int_parsing (2)"
    assert "Lovelace" not in traceback_text(error)


def test_chain_is_told_from_its_cause() -> None:
    """The text has the cause first and the failure last, as Python prints them; the data the other way round."""
    error = caught(quoting)
    told = traceback_text(error)
    assert told.index("direct cause") < told.rindex("RuntimeError")
    assert told.index("IntegrityError") < told.rindex("RuntimeError")
    assert traceback_data(error)[0]["exc_type"] == "RuntimeError"


def test_group_is_told_with_its_parts() -> None:
    """Each part of a group is told."""
    error = ExceptionGroup("two", [ValueError("first"), KeyError("second")])
    told = traceback_text(error)
    assert "ValueError: first" in told
    assert "KeyError: 'second'" in told


def test_cycle_ends() -> None:
    """A chain that leads back to itself is told once."""
    first, second = ValueError("1"), ValueError("2")
    first.__cause__, second.__cause__ = second, first
    assert [error for error, _ in chain(first)] == [first, second]


def test_endless_recursion_has_its_innermost_frames() -> None:
    """Of a thousand frames the innermost are told."""

    def again(depth: int) -> None:
        if depth == 0:
            raise ValueError("deep")
        again(depth - 1)

    frames = traceback_data(caught(lambda: again(500)))[0]["frames"]
    assert len(frames) <= 60
    assert frames[-1]["function"] == "again"


@pytest.mark.parametrize("given", [None, False, (None, None, None)])
def test_no_exception_is_none(given: Any) -> None:
    """What stands for no exception gives none."""
    assert raised(given) is None


def test_exception_of_any_writing_is_found() -> None:
    """An exception, a triple and a mere `True` lead to the exception."""
    try:
        again = caught(of_a_database)
        raise again
    except DBAPIError as error:
        found = (raised(error), raised((DBAPIError, error, None)), raised(True))
    assert found == (again, again, again)
