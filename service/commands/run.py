"""`python -m service run`: serve until told to stop."""

import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastapi import FastAPI
from uvicorn import Config

from service import development
from service.app import create_app
from service.commands.token import make_token
from service.listeners import bind
from service.server import bounded
from service.settings import Settings
from service.settings.rules import advice
from service.shutdown import DrainingServer

if TYPE_CHECKING:
    from service.readiness import Readiness

# Above the usual 60 s of load balancers: it must be they who close an idle connection. Seconds.
KEEP_ALIVE = 75
BACKLOG = 2048
_TOKEN_TTL = 12 * 3600


def execute(settings: Settings) -> int:
    """Start the service and serve.

    Raises:
        AuditError: A route lacks a decision.
        SettingsError: `DATA_DIR` cannot be used.
        StartFailedError: The port is taken, or the database cannot be opened.
    """
    development.require_data_dir(settings)
    settings = development.complete(settings)
    listeners = bind(settings.host, settings.port)
    return serve(create_app(settings), settings, listeners)


def serve(app: FastAPI, settings: Settings, listeners: Sequence[socket.socket]) -> int:
    """Serve an application made by `create_app` until a signal comes.

    Args:
        app: The application.
        settings: What it was made with.
        listeners: Bound sockets.

    Raises:
        StartFailedError: The lifespan failed, or the port was taken meanwhile.
    """
    readiness: Readiness = app.state.readiness
    config = Config(
        app,
        http=bounded(app.state.telemetry.invalid_request, readiness),
        ws="none",
        lifespan="on",
        log_config=None,  # records go to the telemetry's chain
        access_log=False,  # the access event is telemetry's
        proxy_headers=False,  # edge trust decides who is believed
        server_header=False,
        workers=1,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        reset_contextvars=True,  # requests of one connection share nothing (cpython#140947)
    )
    server = DrainingServer(
        config,
        readiness,
        drain=settings.drain_seconds,
        grace=settings.shutdown_grace_seconds,
        started=lambda: _greet(settings, listeners),
    )
    server.run(sockets=list(listeners))
    return 0


def _greet(settings: Settings, listeners: Sequence[socket.socket]) -> None:
    lines = [f"service: {line}" for line in advice(settings)]
    if not settings.production:
        lines += _banner(settings, listeners)
    if lines:
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()


def _banner(settings: Settings, listeners: Sequence[socket.socket]) -> list[str]:
    address, port = listeners[0].getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - what was bound, not what to bind
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    lines = ["", f"  Clearstory   {url}", f"  metrics      {url}{settings.telemetry.metrics_path}"]
    if settings.docs_enabled:
        lines.append(f"  docs         {url}/docs")
    lines.append("")
    if settings.jwt_secret is None:
        return lines
    token = make_token(settings, "developer", (), _TOKEN_TTL)
    return [
        *lines,
        "A development token, good for 12 hours, and three things to try:",
        "",
        f"  TOKEN={token}",
        f'  curl -i -H "Authorization: Bearer $TOKEN" "{url}/api/v1/jobs?limit=3"',
        '  curl -i -X PUT -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" '
        '-d \'{"name": "Ada", "email": "ada@example.com"}\' ' + f"{url}/api/v1/profiles/me",
        f"  curl -i {url}/api/v1/profiles/me   # no token: a 401 that says which trace to look at",
        "",
    ]
