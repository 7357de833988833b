"""What a database error means for the client, without a word of its text.

Drivers quote rows in their errors (PostgreSQL's DETAIL, SQLite's constraint names), so only the class
and the SQLSTATE or SQLite's error name are ever passed on.
"""

import sqlite3
from typing import Literal

from sqlalchemy import exc

from service.errors import GONE_SECONDS, ServiceError, Unavailable
from telemetry import get_logger, names

log = get_logger(__name__)

BUSY_SECONDS = 1

Fault = Literal["gone", "busy"]

_SQLITE_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_SQLITE_GONE = (
    "SQLITE_CANTOPEN",
    "SQLITE_IOERR",
    "SQLITE_NOTADB",
    "SQLITE_CORRUPT",
    "SQLITE_READONLY",
    "SQLITE_FULL",
)
# https://www.postgresql.org/docs/current/errcodes-appendix.html: connections, authorisation, a database
# that is not there, a table that is not there (another database was put in its place), the system.
_PG_GONE = ("08", "28", "3D", "42P01", "53100", "57P", "58", "XX")
# Serialisation and deadlock, resources, a lock that was not had in time, a statement that took too long.
_PG_BUSY = ("40", "53", "55P03", "57014")


class QueryFailed(Exception):
    """A statement that the database refused: a defect of ours, answered as a 500.

    Args:
        error: class of the driver's error.
        code: SQLSTATE or SQLite's error name.
    """

    def __init__(self, error: str, code: str) -> None:
        super().__init__(f"{error} {code}")


def translate(error: exc.SQLAlchemyError | OSError) -> ServiceError | QueryFailed:
    """Say what `error` means, and log it if the database is at fault.

    Args:
        error: what SQLAlchemy, the driver or the network raised.

    Returns:
        `Unavailable` (to be retried soon if it is only busy), or `QueryFailed`.
    """
    name, code = _name(error), _code(error)
    fault = classify(error)
    if fault is None:
        return QueryFailed(name, code)
    log.warning(names.DATABASE_UNAVAILABLE, fault=fault, error=name, code=code)
    return Unavailable(BUSY_SECONDS if fault == "busy" else GONE_SECONDS)


def classify(error: exc.SQLAlchemyError | OSError) -> Fault | None:
    """Whether the database is gone, only busy, or not at fault (None)."""
    if isinstance(error, exc.TimeoutError):
        return "busy"  # the pool's
    if isinstance(error, OSError | exc.DisconnectionError):
        return "gone"
    code = _code(error)
    if isinstance(getattr(error, "orig", None), sqlite3.Error):
        return _sqlite(error, code)
    if code.startswith(_PG_BUSY):
        return "busy"
    if code.startswith(_PG_GONE) or (isinstance(error, exc.DBAPIError) and error.connection_invalidated):
        return "gone"
    # A driver's error without a SQLSTATE is about the connection, not about the statement.
    return "gone" if isinstance(error, exc.InterfaceError | exc.OperationalError) and not code else None


def _sqlite(error: exc.SQLAlchemyError, code: str) -> Fault | None:
    if code.startswith(_SQLITE_BUSY):
        return "busy"
    if code.startswith(_SQLITE_GONE):
        return "gone"
    if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
        return "gone"
    # A file that was put in the database's place has no tables; SQLite has no code of its own for it.
    return "gone" if "no such table" in str(getattr(error, "orig", "")) else None


def _name(error: Exception) -> str:
    return type(getattr(error, "orig", None) or error).__name__


def _code(error: Exception) -> str:
    original = getattr(error, "orig", None)
    return getattr(original, "sqlite_errorname", None) or getattr(original, "sqlstate", None) or ""
