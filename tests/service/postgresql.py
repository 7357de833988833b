"""A PostgreSQL server that lives as long as the tests."""

import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.patience import PATIENCE


def _program(name: str) -> str | None:
    # Debian keeps the server's programs off the path.
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(found[-1]) if found else None)


def _free_port() -> int:
    # Below the ephemeral range: it must still be free after the server was stopped for a while. Each process begins to
    # look elsewhere: two that look at once, or while a server is stopped, would take the same one.
    first = os.getpid() % 1000
    for port in (21000 + (first + each) % 1000 for each in range(1000)):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("no free port")


class PostgreSQL:
    """A server on a loopback port, without durability; a context manager."""

    def __init__(self) -> None:
        # Not under pytest's folder: another run of pytest by root closes that to the server's user.
        self._folder = Path(tempfile.mkdtemp(prefix="clearstory-postgresql-"))
        self._data = self._folder / "data"
        self._numbers = itertools.count(1)
        # PostgreSQL refuses to run as root; its package brings a user for it.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            os.chown(self._folder, pwd.getpwnam(self._user).pw_uid, -1)
        self.port = _free_port()

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
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start it, again if need be."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        log = self._folder / "log"
        self._run("pg_ctl", "start", "-w", "-t", "240", "-D", str(self._data), "-l", str(log), "-o", options)

    def stop(self) -> None:
        """Stop it; connections are cut."""
        self._run("pg_ctl", "stop", "-w", "-t", "240", "-m", "immediate", "-D", str(self._data))

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
        with (self._folder / "output").open("w+") as output:
            streams = {"stdout": output, "stderr": output}
            command = [program, *arguments]
            subprocess.run(command, **streams, check=True, user=self._user, cwd="/", timeout=5 * PATIENCE)
            output.seek(0)
            return output.read().strip()
