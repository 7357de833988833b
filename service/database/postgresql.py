"""PostgreSQL through asyncpg."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from sqlalchemy import URL, event, exc, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from service.database.models import Base

_MIGRATION_LOCK = 0x636C6561727374  # "clearst": any constant that nobody else's lock has
_STATEMENT_SECONDS = 10


class PostgreSQL:
    """A server somewhere else.

    Args:
        url: `postgresql+asyncpg://…`.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self.place = "DATABASE_URL"

    def engine(self, *, pool_size: int, wait: float) -> AsyncEngine:
        """An engine that gives up on locks, statements and connections that take too long."""
        engine = self._create(wait, pool_size=pool_size, max_overflow=0, pool_timeout=wait)

        @event.listens_for(engine.sync_engine, "checkout")
        def closed(connection: Any, _record: Any, _proxy: Any) -> None:  # noqa: ANN401 - SQLAlchemy's protocol
            # asyncpg knows at once that its peer hung up: no statement is needed to find out.
            if connection.driver_connection.is_closed():
                raise exc.DisconnectionError

        return engine

    def migration_engine(self) -> AsyncEngine:
        """An engine without a pool."""
        return self._create(_STATEMENT_SECONDS, poolclass=NullPool)

    @asynccontextmanager
    async def one_process(self, connection: AsyncConnection, wait: float) -> AsyncIterator[None]:
        """Hold a session's advisory lock."""
        async with connection.begin():
            await connection.execute(select(func.set_config("lock_timeout", f"{wait}s", False)))
            await connection.execute(select(func.pg_advisory_lock(_MIGRATION_LOCK)))
        yield  # the lock ends with the connection, however that ends

    def turn(self, *, read_only: bool) -> AbstractAsyncContextManager[Any]:  # noqa: ARG002 - the protocol's
        """Any connection will do: the pool's own queue is enough."""
        return nullcontext()

    def options(self, *, read_only: bool) -> dict[str, Any]:
        """Read-only: one SELECT is its own snapshot, BEGIN and COMMIT would be two more round trips."""
        return {"isolation_level": "AUTOCOMMIT" if read_only else "READ COMMITTED"}

    def insert(self, table: type[Base]) -> postgresql.Insert:
        """PostgreSQL's INSERT."""
        return postgresql.insert(table)

    async def claim(self, session: AsyncSession, key: str) -> bool:
        """A transaction's advisory lock."""
        number = int.from_bytes(bytes.fromhex(key)[:8], signed=True)
        return bool(await session.scalar(select(func.pg_try_advisory_xact_lock(number))))

    async def wipe(self, _engine: AsyncEngine) -> bool:
        """Left to autovacuum."""
        return True

    def _create(self, wait: float, **pool: Any) -> AsyncEngine:  # noqa: ANN401 - passed on
        settings = {
            "application_name": "clearstory",
            "lock_timeout": f"{wait}s",
            "idle_in_transaction_session_timeout": f"{_STATEMENT_SECONDS}s",
        }
        return create_async_engine(
            self._url,
            hide_parameters=True,
            connect_args={
                "timeout": wait,
                "command_timeout": _STATEMENT_SECONDS,
                "server_settings": settings,
            },
            **pool,
        )
