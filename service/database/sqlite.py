"""SQLite in a file: write-ahead log, one writer, deleted content overwritten (https://sqlite.org/wal.html)."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from itertools import repeat
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, event, exc, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from service.database.models import Base

_POLL_SECONDS = 0.05
_READ_ONLY = "clearstory_read_only"
_MAX_BUSY_SECONDS = 2.0


class SQLite:
    """The embedded database.

    Args:
        url: `sqlite+aiosqlite:///FILE`.
        connections: of the pool that transactions share.
    """

    def __init__(self, url: URL, connections: int) -> None:
        self._path = Path(url.database or "").absolute()
        # SQLite's own busy handler polls and is not fair; a queue of our own serves writers in order.
        self._writer = asyncio.Lock()
        # One connection is the writer's: in the pool's queue it would keep its turn while all who read come first.
        self._readers = asyncio.Semaphore(connections - 1)
        self.place = ascii(str(self._path))  # a file that nobody may have named

    def engine(self, *, pool_size: int, wait: float) -> AsyncEngine:
        """An engine whose connections notice, when they are taken, that the file has gone or changed."""
        engine = self._create(
            "rw", min(wait, _MAX_BUSY_SECONDS), pool_size=pool_size, max_overflow=0, pool_timeout=wait
        )

        @event.listens_for(engine.sync_engine, "connect")
        def remember(_connection: Any, record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's protocol
            record.info["file"] = self._file()

        @event.listens_for(engine.sync_engine, "checkout")
        def compare(_connection: Any, record: Any, _proxy: Any) -> None:  # noqa: ANN401 - the same
            # An open file outlives its name: without this, a deleted database would go on answering.
            if record.info.get("file") != self._file():
                raise exc.InvalidatePoolError

        return engine

    def migration_engine(self) -> AsyncEngine:
        """An engine that creates the file, readable by its owner only."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        return self._create("rwc", _MAX_BUSY_SECONDS, poolclass=NullPool)

    @asynccontextmanager
    async def one_process(self, _connection: AsyncConnection, wait: float) -> AsyncIterator[None]:
        """Hold a lock on a file beside the database."""
        descriptor = os.open(f"{self._path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            async with asyncio.timeout(wait):
                for pause in repeat(_POLL_SECONDS):
                    if _locked(descriptor):
                        break
                    await asyncio.sleep(pause)
            yield
        finally:
            os.close(descriptor)

    def turn(self, *, read_only: bool) -> AbstractAsyncContextManager[Any]:
        """One writer at a time, and as many readers as there are other connections."""
        return self._readers if read_only else self._writer

    def options(self, *, read_only: bool) -> dict[str, Any]:
        """Read-only: no BEGIN, each SELECT is its own snapshot."""
        return {_READ_ONLY: read_only}

    def insert(self, table: type[Base]) -> sqlite.Insert:
        """SQLite's INSERT."""
        return sqlite.insert(table)

    async def claim(self, _session: AsyncSession, _key: str) -> bool:
        """There is one writer at a time already."""
        return True

    async def wipe(self, engine: AsyncEngine) -> bool:
        """Copy the write-ahead log into the file and cut it to nothing; old page images were in it."""
        async with self._writer, engine.connect() as connection:
            await connection.execution_options(**self.options(read_only=True))
            blocked = (await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))).scalar_one()
            return not blocked

    def _create(self, mode: str, busy_seconds: float, **pool: Any) -> AsyncEngine:  # noqa: ANN401 - passed on
        url = URL.create(
            "sqlite+aiosqlite", database=f"file:{quote(str(self._path))}", query={"mode": mode, "uri": "true"}
        )
        # isolation_level=None: the driver begins nothing by itself, `begin` below does.
        engine = create_async_engine(url, hide_parameters=True, connect_args={"isolation_level": None}, **pool)

        @event.listens_for(engine.sync_engine, "connect")
        def configure(connection: Any, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's protocol
            cursor = connection.cursor()
            for pragma in (
                f"busy_timeout={int(busy_seconds * 1000)}",
                "journal_mode=WAL",
                "synchronous=NORMAL",  # a power cut may cost the last commits, never the file
                "foreign_keys=ON",
                "secure_delete=ON",  # erased means overwritten
                "temp_store=MEMORY",  # no copies of rows in temporary files
            ):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        @event.listens_for(engine.sync_engine, "invalidate")
        def roll_back(connection: Any, _record: Any, _error: Any) -> None:  # noqa: ANN401 - SQLAlchemy's protocol
            # A statement whose caller was cancelled goes on in its thread, and a connection that is closed while a
            # cursor of it is left keeps its lock: until the garbage collector comes by, nobody could write.
            with suppress(exc.SQLAlchemyError, sqlite3.Error):
                connection.rollback()

        @event.listens_for(engine.sync_engine, "begin")
        def begin(connection: Connection) -> None:
            # IMMEDIATE: a reader that becomes a writer half-way fails at once when another was faster.
            if not connection.get_execution_options().get(_READ_ONLY):
                connection.exec_driver_sql("BEGIN IMMEDIATE")

        return engine

    def _file(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
