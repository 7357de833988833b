"""Database errors without their texts, which quote rows: PostgreSQL's DETAIL, statements, parameters.

Recognised by where they come from, since an application may have any of the drivers, or none.
"""

from __future__ import annotations

_DRIVERS = frozenset({"asyncpg", "psycopg", "psycopg2", "sqlite3", "aiosqlite", "pymysql", "MySQLdb", "oracledb"})
_CODES = ("sqlstate", "pgcode", "sqlite_errorname")


def reduced(exception: BaseException) -> str | None:
    """Give a database error's SQLSTATE (or SQLite's error name) and constraint; None: it is another error.

    Args:
        exception: any.
    """
    root = type(exception).__module__.partition(".")[0]
    if root == "sqlalchemy":
        # Of SQLAlchemy's own errors only those of a statement carry what it was executed with.
        if not hasattr(exception, "statement") and not hasattr(exception, "pgcode"):
            return None
    elif root not in _DRIVERS:
        return None
    seen: list[BaseException] = []
    error: BaseException | None = exception
    while error is not None and error not in seen:
        seen.append(error)
        code = next((str(found) for name in _CODES if (found := getattr(error, name, None))), None)
        if code is not None:
            constraint = getattr(error, "constraint_name", None) or getattr(
                getattr(error, "diag", None), "constraint_name", None
            )
            return f"{code} {constraint}" if constraint else code
        error = getattr(error, "orig", None) or error.__cause__
    return "no code"
