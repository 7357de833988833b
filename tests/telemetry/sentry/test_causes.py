"""Exceptions that quote rows, statements or what was validated."""

import sqlite3

import pytest
import sentry_sdk
import sentry_sdk.logger
from asyncpg.exceptions import UniqueViolationError
from fastapi.exceptions import ResponseValidationError
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import IntegrityError

from tests.telemetry.sentry.conftest import Running

PROSE = "Ann Prose of Springfield"


def unique_violation() -> UniqueViolationError:
    """An error as PostgreSQL words it, with a row in its detail."""
    error = UniqueViolationError('duplicate key value violates unique constraint "uq_profiles_name"')
    error.detail = f"Key (name)=({PROSE}) already exists."
    error.constraint_name = "uq_profiles_name"
    return error


def wrapped(original: Exception) -> IntegrityError:
    """The error as SQLAlchemy passes it on."""
    error = IntegrityError(f"INSERT VALUES ('{PROSE}')", {"name": PROSE}, original)
    error.__cause__ = original
    return error


def values(running: Running, error: BaseException) -> dict[str, str]:
    """What an event says of an error and those behind it, by class."""
    running.sentry.capture(error)
    sent = running.sent()
    assert b"Prose" not in sent
    (event,) = running.endpoint.payloads("event")
    return {value["type"]: value["value"] for value in event["exception"]["values"]}


def test_database_error_is_its_code(running: Running) -> None:
    """A database error says SQLSTATE and constraint, also as SQLAlchemy wraps it; no row, statement or parameter."""
    told = values(running, wrapped(unique_violation()))
    assert told == {
        "UniqueViolationError": "23505 uq_profiles_name",
        "IntegrityError": "23505 uq_profiles_name",
    }


def test_quoted_database_error_is_its_code(running: Running) -> None:
    """An error whose text quotes a database error's has the code in its place, also when the cause is suppressed."""
    inner = wrapped(unique_violation())
    error = RuntimeError(f"could not save: {inner}")
    error.__context__, error.__suppress_context__ = inner, True
    assert values(running, error) == {"RuntimeError": "could not save: 23505 uq_profiles_name"}


def test_text_that_quotes_the_handled_error_has_its_code(running: Running) -> None:
    """A message, a breadcrumb or a log that quotes the error being handled has the code in its place."""
    try:
        raise wrapped(unique_violation())
    except IntegrityError as error:
        sentry_sdk.add_breadcrumb(message=f"failed: {error}")
        sentry_sdk.logger.error(f"not logged: {error}")
        sentry_sdk.capture_message(f"could not save: {error}")
        sentry_sdk.capture_event({"logentry": {"message": str(error), "formatted": f"no: {error}"}})
    assert b"Prose" not in running.sent()
    message, entry = running.endpoint.payloads("event")
    assert message["message"] == "could not save: 23505 uq_profiles_name"
    assert message["breadcrumbs"]["values"][0]["message"] == "failed: 23505 uq_profiles_name"
    assert entry["logentry"] == {"message": "23505 uq_profiles_name", "formatted": "no: 23505 uq_profiles_name"}
    (logs,) = running.endpoint.payloads("log")
    assert logs["items"][0]["body"] == "not logged: 23505 uq_profiles_name"


def test_sqlite_error_is_its_name(running: Running) -> None:
    """SQLite's error says its name, not the statement that it quotes."""
    with pytest.raises(sqlite3.OperationalError) as caught, sqlite3.connect(":memory:") as connection:
        connection.execute(f'"{PROSE}"')
    connection.close()
    assert values(running, caught.value) == {"OperationalError": "SQLITE_ERROR"}


def test_validation_error_says_its_types(running: Running) -> None:
    """A validation error of pydantic or FastAPI says which kinds of errors it holds, and nothing of the input."""

    class Profile(BaseModel):
        name: int
        age: int

    with pytest.raises(ValidationError) as caught:
        Profile.model_validate({"name": PROSE, PROSE: 1})
    answer = ResponseValidationError(errors=caught.value.errors(), body={"name": PROSE})
    told = values(running, ExceptionGroup("both", [caught.value, answer]))
    assert told["ValidationError"] == told["ResponseValidationError"] == "int_parsing (1), missing (1)"


def test_other_errors_keep_their_texts(running: Running) -> None:
    """An error without a database behind it, its cause and its notes are told as they are."""
    error = ValueError("no such template")
    error.__cause__ = KeyError("base")
    error.add_note("of three")
    assert values(running, error) == {"ValueError": "no such template\nof three", "KeyError": "'base'"}
