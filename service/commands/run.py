"""`python -m service run`: serve until told to stop."""

import gc
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from fastapi import FastAPI
from uvicorn import Config

from service import development, streams
from service.app import create_app
from service.commands.token import make_token
from service.domain.catalogue import catalogue
from service.listeners import bind
from service.llm.simulated.child import SimulatedProvider
from service.server import bounded, room
from service.settings import Settings
from service.settings.llm import SIMULATED, at
from service.settings.rules import advice
from service.shutdown import DrainingServer

if TYPE_CHECKING:
    from service.readiness import Readiness

# Above the usual 60 s of load balancers: it must be they who close an idle connection. Seconds.
KEEP_ALIVE = 75
BACKLOG = 2048
_TOKEN_TTL = 12 * 3600
_PROFILE = (
    '{"name": "Ada", "email": "ada@example.com", "phone": "+44 20 7946 0000", '
    '"cv_content": "Ten years of Python and mathematics; ada@example.com"}'
)


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
    with ExitStack() as children:
        if settings.llm.starts_simulated:
            provider = children.enter_context(SimulatedProvider())
            settings = replace(settings, llm=at(settings.llm, provider.url))
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
        started=lambda: _started(settings, listeners),
    )
    server.run(sockets=list(listeners))
    return 0


def _started(settings: Settings, listeners: Sequence[socket.socket]) -> None:
    # What is there by now stays: to look through all of it once more would hold the event loop up for 0.2 s (measured).
    gc.freeze()
    gc.enable()
    _greet(settings, listeners)


def _greet(settings: Settings, listeners: Sequence[socket.socket]) -> None:
    lines = [f"service: {line}" for line in (*advice(settings), *room())]
    if not settings.production:
        lines += _banner(settings, listeners)
    if lines:
        streams.say("\n".join(lines))


def _banner(settings: Settings, listeners: Sequence[socket.socket]) -> list[str]:
    address, port = listeners[0].getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - what was bound, not what to bind
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    lines = ["", f"  Clearstory   {url}", f"  metrics      {url}{settings.telemetry.metrics_path}"]
    if settings.docs_enabled:
        lines.append(f"  docs         {url}/docs")
    lines += [
        f"  models from  {provider.name}{f', {provider.base_url}' if provider.name == SIMULATED else ''}"
        for provider in settings.llm.providers
    ]
    lines.append("")
    if settings.jwt_secret is None:
        return lines
    token = make_token(settings, "developer", (), _TOKEN_TTL)
    job = next(catalogue()).id
    sent = 'curl -i -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json"'
    return [
        *lines,
        "A development token, good for 12 hours, and three things to try; `traceresponse` names each one's trace:",
        "",
        f"  TOKEN={token}",
        f"  {sent} -X PUT {url}/api/v1/profiles/me \\",
        f"    -d '{_PROFILE}'",
        f"  {sent} -N -H 'Accept: text/event-stream' {url}/api/v1/cover-letters \\",
        f'    -d \'{{"job_id": "{job}"}}\'',
        f'  {sent} {url}/api/v1/briefings -d \'{{"focus": "backend"}}\'',
        "",
    ]
