"""The service with a few more routes, each a story to be followed; only tests and benchmarks run it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.responses import StreamingResponse

from service import development
from service.access import bearer
from service.app import create_app
from service.commands.run import serve
from service.listeners import bind
from service.settings import Settings
from telemetry import get_logger
from tests.patience import take_time, take_time_to_flush

log = get_logger(__name__)


def add_routes(app: FastAPI) -> None:
    """Add the stories."""
    _add_single(app)
    _add_lasting(app)
    _add_interleaved(app)


def _add_single(app: FastAPI) -> None:
    @app.get("/boom", tags=["test"], **bearer())
    async def boom() -> None:
        raise RuntimeError("nobody handles this")

    @app.get("/echo", tags=["test"], **bearer())
    async def echo(request: Request) -> list[tuple[str, str]]:
        return list(request.headers.items())

    @app.get("/slow", tags=["test"], **bearer())
    async def slow(seconds: float = 0.5) -> dict[str, float]:
        log.info("test.slow")
        await asyncio.sleep(seconds)
        return {"seconds": seconds}

    @app.get("/stream", tags=["test"], **bearer())
    async def stream(chunks: int = 5, pause: float = 0.1) -> StreamingResponse:
        async def body() -> AsyncIterator[bytes]:
            for number in range(chunks):
                if number:
                    await asyncio.sleep(pause)
                yield b"chunk\n"

        return StreamingResponse(body())

    @app.get("/background", tags=["test"], **bearer())
    async def background(tasks: BackgroundTasks) -> dict[str, bool]:
        async def work() -> None:
            await asyncio.sleep(0.5)
            log.info("test.background")

        tasks.add_task(work)
        return {"accepted": True}


def _add_lasting(app: FastAPI) -> None:
    @app.get("/until", tags=["test"], **bearer())
    async def until(file: Path) -> None:
        while not file.exists():  # noqa: ASYNC110, ASYNC240 - a file has no event, and is looked for quickly
            await asyncio.sleep(0.01)


def _add_interleaved(app: FastAPI) -> None:
    def in_a_thread(marker: str) -> str:
        log.info("test.thread", marker=marker)
        return marker

    @app.get("/interleaved", tags=["test"], **bearer())
    async def interleaved(request: Request, marker: str) -> dict[str, str]:
        log.info("test.before", marker=marker)
        await asyncio.sleep(0)
        with request.app.state.telemetry.span("test.work", marker=marker):
            await asyncio.sleep(0.001)
            await asyncio.to_thread(in_a_thread, marker)
        log.info("test.after", marker=marker)
        return {"marker": marker}


def run(add: Callable[[FastAPI], None]) -> int:
    """What `run` does, with more routes."""
    take_time()
    take_time_to_flush()
    settings = development.complete(Settings.load(os.environ))
    app = create_app(settings)
    add(app)
    return serve(app, settings, bind(settings.host, settings.port))


if __name__ == "__main__":
    sys.exit(run(add_routes))
