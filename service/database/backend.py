"""What differs between the databases, behind one seam."""

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from service.database.models import Base
from service.database.postgresql import PostgreSQL
from service.database.sqlite import SQLite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


class Backend(Protocol):
    """One kind of database."""

    @property
    def place(self) -> str:
        """What an operator knows it by, in one line: never a URL, which holds a password."""

    def engine(self, *, pool_size: int, wait: float) -> AsyncEngine:
        """An engine that never creates the database.

        Args:
            pool_size: connections it may open.
            wait: seconds to wait for a connection, and for a lock that somebody else has.
        """

    def migration_engine(self) -> AsyncEngine:
        """An engine that may create the database."""

    def one_process(self, connection: AsyncConnection, wait: float) -> AbstractAsyncContextManager[None]:
        """Entered around a migration, so that other processes wait (`wait` seconds at most)."""

    def turn(self, *, read_only: bool) -> AbstractAsyncContextManager[Any]:
        """Entered around a transaction, before its connection is asked for."""

    def options(self, *, read_only: bool) -> dict[str, Any]:
        """Execution options of a connection for one transaction."""

    def insert(self, table: type[Base]) -> "sqlite.Insert | postgresql.Insert":
        """An INSERT that knows ON CONFLICT."""

    async def claim(self, session: AsyncSession, key: str) -> bool:
        """Keep other processes from `key` (hex digits) until the transaction ends; False if one has it."""

    async def wipe(self, engine: AsyncEngine) -> bool:
        """Remove what deleted rows left in the files; False if somebody still reads it."""


def backend_for(url: str, connections: int) -> Backend:
    """The backend that `url` names.

    Args:
        url: an SQLAlchemy URL.
        connections: of the pool that transactions share.

    Raises:
        ValueError: it is neither an SQLite file with aiosqlite nor PostgreSQL with asyncpg.
    """
    parsed = make_url(url)
    if parsed.drivername == "sqlite+aiosqlite" and parsed.database not in {None, "", ":memory:"}:
        return SQLite(parsed, connections)
    if parsed.drivername == "postgresql+asyncpg":
        return PostgreSQL(parsed)
    raise ValueError("expected sqlite+aiosqlite:///FILE or postgresql+asyncpg://...")
