"""A PostgreSQL server that lives as long as the tests."""

import itertools
import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self


def _program(name: str) -> str | None:
    # Debian keeps the server's programs off the path.
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(found[-1]) if found else None)


class PostgreSQL:
    """A server on a loopback port, without durability; a context manager.

    Args:
        folder: where it keeps everything.
    """

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._numbers = itertools.count(1)
        # PostgreSQL refuses to run as root; its package brings a user for it.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            os.chown(folder, pwd.getpwnam(self._user).pw_uid, -1)
            for parent in (folder, *folder.parents[:2]):
                parent.chmod(parent.stat().st_mode | 0o711)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    @staticmethod
    def installed() -> bool:
        """Whether there is one to run."""
        return all(_program(name) for name in ("initdb", "pg_ctl", "psql"))

    def __enter__(self) -> Self:
        self._run("initdb", "--auth=trust", "--username=test", "--no-sync", "-D", str(self._data))
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, again if need be."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        log = self._data.parent / "log"
        self._run("pg_ctl", "start", "-w", "-D", str(self._data), "-l", str(log), "-o", options)

    def stop(self) -> None:
        """Stop it; connections are cut."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(self._data))

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"test{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name}", "postgres")
        return f"postgresql+asyncpg://test@127.0.0.1:{self.port}/{name}"

    def sql(self, statement: str, database: str) -> str:
        """What a statement prints."""
        arguments = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "test", "-d", database, "-Atc", statement)
        return self._run("psql", *arguments)

    def _run(self, name: str, *arguments: str) -> str:
        program = _program(name)
        assert program is not None
        # A file, not a pipe: the server would keep a pipe open for as long as it lives.
        with (self._data.parent / "output").open("w+") as output:
            subprocess.run(
                [program, *arguments], stdout=output, stderr=output, check=True, user=self._user, cwd="/", timeout=60
            )
            output.seek(0)
            return output.read().strip()
