"""The process: it listens at once, and says nothing else."""

import asyncio
import os
import socket
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, cast

import uvloop
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from service import streams
from service.llm.simulated.app import Simulator
from service.llm.simulated.options import Options

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

_BACKLOG = 2048
# Above what clients keep a connection for: it must be they who close an idle one. Seconds.
_KEEP_ALIVE = 75


def run(options: Options) -> int:
    """Serve until the process ends.

    Returns:
        1: it could not listen.
    """
    if options.with_parent:
        threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(options))
    except OSError as failure:
        streams.say(f"simulated: cannot listen: {os.strerror(failure.errno or 0)}")
    return 1


async def _serve(options: Options) -> None:
    config = Config(
        cast("ASGI3Application", Simulator(options)),
        http=_Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        timeout_keep_alive=_KEEP_ALIVE,
        log_config=None,
        log_level="critical",  # nothing is told of requests
        access_log=False,
    )
    config.load()
    connection = partial(_Protocol, config, ServerState(), {})
    loop = asyncio.get_running_loop()
    if options.fd is None:
        server = await loop.create_server(connection, options.host, options.port, backlog=_BACKLOG)
    else:
        server = await loop.create_server(connection, sock=socket.socket(fileno=options.fd), backlog=_BACKLOG)
    port = server.sockets[0].getsockname()[1]
    streams.put(f"listening on http://{options.host}:{port}\n".encode())
    await server.serve_forever()


class _Protocol(HttpToolsProtocol):
    """Lets the application close a connection in the middle of an answer, which ASGI has no word for."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        cycle.scope["state"]["close"] = cycle.transport.close
        super()._start_asgi_task(cycle, app)


def _end_with_input() -> None:
    """End the process when whoever holds the other end of standard input is gone."""
    with suppress(OSError):  # it was closed from the beginning
        while os.read(0, 4096):
            pass
    os._exit(0)
