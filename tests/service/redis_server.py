"""A Redis server that lives as long as the tests."""

import itertools
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.patience import PATIENCE


def free_port() -> int:
    """A port below the ephemeral range: it must still be free after the server was stopped for a while."""
    for port in random.sample(range(22000, 24000), 100):  # other tests' servers may be starting, too
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("no free port")


class RedisServer:
    """A server on a loopback port, without persistence; a context manager.

    Args:
        options: of `redis-server`, such as `--maxmemory 1mb`.
    """

    def __init__(self, *options: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="clearstory-redis-"))
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._secrets = itertools.count(1)
        self.port = free_port()

    @staticmethod
    def installed() -> bool:
        """Whether there is one to run."""
        return shutil.which("redis-server") is not None and shutil.which("redis-cli") is not None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def socket_path(self) -> Path:
        """Its Unix socket."""
        return self._folder / "redis.sock"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start it, empty, again if need be."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command += ["--dir", str(self._folder), "--unixsocket", str(self.socket_path), *self._options]
        log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()
        begun = time.monotonic()
        # By its socket's path, which is nobody else's.
        while subprocess.run(["redis-cli", "-s", str(self.socket_path), "ping"], capture_output=True).returncode:  # noqa: PLW1510
            if self._process.poll() is not None or time.monotonic() - begun > PATIENCE:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill it: what it knew is gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    def freeze(self) -> None:
        """Let it answer nobody, with all connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it answer again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def ask(self, *command: str) -> str:
        """What a command prints."""
        asked = ["redis-cli", "-s", str(self.socket_path), *command]
        return subprocess.run(asked, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout.strip()

    def new_secret(self) -> bytes:
        """A secret of a deployment that has counted nothing yet."""
        return b"deployment %d" % next(self._secrets)
