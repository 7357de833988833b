"""The one way to the database: `Database.transaction()`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import chain, repeat

from sqlalchemy import exc, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from service.database.backend import backend_for
from service.database.claims import Claims
from service.database.faults import classify, translate
from service.database.models import Base
from service.database.prepare import prepare
from telemetry import Telemetry, get_logger, names

log = get_logger(__name__)

POOL_SIZE = 8
WAIT_SECONDS = 3.0
PROBE_SECONDS = 1.0
_WIPE_PAUSES = (0.02, 0.1, 0.4)
_WIPE_LATER_SECONDS = (1, 5, 15, 60)


class StartFailed(Exception):
    """The database could not be opened; one line, without the URL and without the driver's text."""


class Database:
    """Connections, transactions and erasure.

    Args:
        url: an SQLAlchemy URL, `sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://…`.
        telemetry: told of the engine, and of who waits for a connection.

    Raises:
        ValueError: the URL names something else.
    """

    def __init__(self, url: str, telemetry: Telemetry) -> None:
        self._backend = backend_for(url, POOL_SIZE)
        self._telemetry = telemetry
        self.claims = Claims()
        self._engine: AsyncEngine | None = None
        self._side_engine: AsyncEngine | None = None
        self._wiping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Migrate, seed the catalogue, open the pool.

        Raises:
            StartFailed: it cannot be reached or written.
        """
        try:
            await prepare(self._backend)
        except (exc.SQLAlchemyError, OSError, TypeError, ValueError) as error:
            # The last two are a driver's that does not know what the URL's query asks of it.
            cause = type(getattr(error, "orig", None) or error).__name__
            failure = StartFailed(f"{self._backend.place}: the database cannot be opened ({cause})")
            raise failure from None  # the driver's text may hold the URL with its password
        self._engine = self._backend.engine(pool_size=POOL_SIZE, wait=WAIT_SECONDS)
        # Probes and clean-up have a connection of their own, unobserved: they answer while the pool is busy.
        self._side_engine = self._backend.engine(pool_size=1, wait=PROBE_SECONDS / 2)
        self._telemetry.watch_engine(self._engine)
        await self.wipe()  # what a process that was killed half-way left behind

    async def close(self) -> None:
        """Close every connection; does nothing if `start` did not get that far."""
        if self._wiping is not None:
            self._wiping.cancel()
            await asyncio.gather(self._wiping, return_exceptions=True)
        for engine in (self._side_engine, self._engine):
            if engine is not None:
                await engine.dispose()

    @asynccontextmanager
    async def transaction(self, *, read_only: bool = False) -> AsyncIterator[AsyncSession]:
        """A session in a transaction: committed at the end of the block, rolled back by an exception.

        Only database work belongs in the block: an OSError in it is taken for the network's.

        Args:
            read_only: one SELECT, without a transaction around it.

        Raises:
            Unavailable: the database is gone or busy.
            QueryFailed: it refused a statement.
        """
        try:
            async with (
                self._connection(read_only) as connection,
                AsyncSession(connection, expire_on_commit=False) as session,
                session.begin(),
            ):
                yield session
        except (exc.SQLAlchemyError, OSError) as error:
            # `from None`: tracebacks print the cause's text, in which drivers quote rows.
            raise translate(error) from None

    def insert(self, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
        """An INSERT for this database that knows ON CONFLICT."""
        return self._backend.insert(table)

    async def claim(self, session: AsyncSession, key: str) -> bool:
        """Keep other processes from `key` (hex digits) until the transaction ends; False if one has it."""
        return await self._backend.claim(session, key)

    async def ping(self) -> None:
        """Find out whether the database answers; one that is only busy does.

        Raises:
            Unavailable: it is gone.
        """
        assert self._side_engine is not None, "start() comes first"  # noqa: S101 - a defect, not a condition
        try:
            async with asyncio.timeout(PROBE_SECONDS), self._side_engine.connect() as connection:
                await connection.execution_options(**self._backend.options(read_only=True))
                await connection.execute(text("SELECT version_num FROM alembic_version"))
        except (exc.SQLAlchemyError, OSError) as error:
            if classify(error) != "busy":
                raise translate(error) from None

    async def wipe(self) -> None:
        """Remove what deleted rows left behind, later if somebody still reads it."""
        for pause in _WIPE_PAUSES:
            if await self._wiped():
                return
            await asyncio.sleep(pause)
        if self._wiping is None or self._wiping.done():
            log.warning(names.DATABASE_WIPE_DEFERRED)
            self._wiping = asyncio.create_task(self._wipe_later())

    async def _wipe_later(self) -> None:
        for pause in chain(_WIPE_LATER_SECONDS, repeat(_WIPE_LATER_SECONDS[-1])):
            await asyncio.sleep(pause)
            if await self._wiped():
                return

    async def _wiped(self) -> bool:
        assert self._side_engine is not None, "start() comes first"  # noqa: S101 - a defect, not a condition
        try:
            return await self._backend.wipe(self._side_engine)
        except (exc.SQLAlchemyError, OSError):
            return False

    @asynccontextmanager
    async def _connection(self, read_only: bool) -> AsyncIterator[AsyncConnection]:
        assert self._engine is not None, "start() comes first"  # noqa: S101 - a defect, not a condition
        async with AsyncExitStack() as stack:
            with self._telemetry.pool_wait():
                await self._turn(stack, read_only)
                connection = await stack.enter_async_context(self._engine.connect())
            yield await connection.execution_options(**self._backend.options(read_only=read_only))

    async def _turn(self, stack: AsyncExitStack, read_only: bool) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await stack.enter_async_context(self._backend.turn(read_only=read_only))
        except TimeoutError as error:
            raise exc.TimeoutError from error
