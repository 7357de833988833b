"""The simulated provider as a child process, for as long as its parent needs it."""

import socket
import subprocess
import sys
from types import TracebackType
from typing import Self

_LOOPBACK = "127.0.0.1"
_STOP_SECONDS = 2.0


class SimulatedProvider:
    """A context manager: inside of it the provider is there.

    The socket is the parent's: it listens before the child has begun, and nobody has to wait for it.

    Attributes:
        url: where it is.
    """

    def __enter__(self) -> Self:
        with socket.create_server((_LOOPBACK, 0)) as listener:
            self.url = f"http://{_LOOPBACK}:{listener.getsockname()[1]}"
            self._process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
                [sys.executable, "-m", "service.llm.simulated", "--with-parent", "--fd", str(listener.fileno())],
                stdin=subprocess.PIPE,  # its end is the child's, however the parent ends
                stdout=subprocess.DEVNULL,
                pass_fds=(listener.fileno(),),
                start_new_session=True,  # Ctrl-C is the parent's, which still has requests to finish
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
