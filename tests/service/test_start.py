"""The database at start-up: migrated and seeded once, by one process at a time."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from service.database import Database, migrations
from service.database.models import Base
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
START = """
import asyncio, sys
from service.app import create_app
from service.database import Database
from service.settings import Settings
from tests.patience import take_time
async def main():
    take_time()
    app = create_app(Settings.load({"DATA_DIR": sys.argv[1], "JWT_SECRET": "s" * 64}))
    await app.state.database.start()
    await app.state.database.close()
asyncio.run(main())
"""


def rows(path):
    """How many jobs there are."""
    with closing(sqlite3.connect(path)) as reader:
        return reader.execute("SELECT count(*) FROM jobs").fetchone()[0]


def test_the_head_is_known_without_alembic():
    """`migrations.HEAD` is the newest revision, and history is one line."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEAD]


async def test_migrations_make_what_the_models_say(app, database_path):
    """Tables, columns, indexes and keys of a migrated database are those of the models."""

    def schema(engine):
        inspector = inspect(engine)
        return {
            name: (
                [(c["name"], str(c["type"]), c["nullable"], c["primary_key"]) for c in inspector.get_columns(name)],
                sorted((i["name"], i["column_names"]) for i in inspector.get_indexes(name)),
                [(k["constrained_columns"], k["referred_table"]) for k in inspector.get_foreign_keys(name)],
                [k["column_names"] for k in inspector.get_unique_constraints(name)],
            )
            for name in sorted(set(inspector.get_table_names()) - {"alembic_version"})
        }

    migrated, made = create_engine(f"sqlite:///{database_path}"), create_engine("sqlite://")
    Base.metadata.create_all(made)
    assert schema(migrated) == schema(made)
    migrated.dispose()
    made.dispose()


async def test_a_second_start_does_nothing(built, database_path, recorder):
    """A database that is current is opened and not written to."""
    for _ in range(2):
        async with built.router.lifespan_context(built):
            pass
    assert len(recorder.events("database.migrated")) == 1
    before = database_path.read_bytes()
    database = Database(f"sqlite+aiosqlite:///{database_path}", built.state.telemetry)
    await database.start()
    await database.close()
    assert database_path.read_bytes() == before


def test_a_second_start_needs_no_alembic(tmp_path):
    """The library that migrates costs memory: a process whose database is current never imports it."""
    folder = str(tmp_path)
    subprocess.run([sys.executable, "-c", START, folder], cwd=ROOT, check=True, timeout=5 * PATIENCE)
    code = f"{START}\nassert 'alembic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, folder], cwd=ROOT, check=True, timeout=5 * PATIENCE)


def test_processes_that_start_together_migrate_once(tmp_path):
    """Four processes on one new database all start, and the catalogue is there once."""
    processes = [subprocess.Popen([sys.executable, "-c", START, str(tmp_path)], cwd=ROOT) for _ in range(4)]
    assert [process.wait(timeout=5 * PATIENCE) for process in processes] == [0, 0, 0, 0]
    assert rows(tmp_path / "clearstory.db") == 2000


async def test_a_failed_migration_leaves_nothing(built, database_path, monkeypatch):
    """A start that dies half-way leaves no half-made schema: the next one begins afresh."""
    monkeypatch.setattr(MigrationContext, "run_migrations", _half(MigrationContext.run_migrations))
    database = Database(f"sqlite+aiosqlite:///{database_path}", built.state.telemetry)
    with pytest.raises(RuntimeError, match="half-way"):
        await database.start()
    await database.close()
    with closing(sqlite3.connect(database_path)) as reader:
        assert reader.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def _half(run):
    def run_then_fail(self, **keywords):
        run(self, **keywords)
        raise RuntimeError("half-way")

    return run_then_fail


async def test_the_file_is_the_owners(app, database_path):
    """Nobody else on the machine can read the database, its log or its lock."""
    files = list(database_path.parent.glob("clearstory.db*"))
    assert len(files) >= 2
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


async def test_a_path_with_odd_characters(built, tmp_path):
    """A folder's name may hold what URLs and format strings would take for their own."""
    path = tmp_path / "a b%20#?&ü" / "clear story.db"
    database = Database(f"sqlite+aiosqlite:///{quote(str(path))}", built.state.telemetry)
    await database.start()
    await database.ping()
    await database.close()
    assert rows(path) == 2000
