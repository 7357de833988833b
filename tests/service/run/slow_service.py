"""The service with more routes: one takes its time, one has much to say; only tests run it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import Response
from fastapi.responses import StreamingResponse

from service import development
from service.access import bearer
from service.app import create_app
from service.commands.run import serve
from service.listeners import bind
from service.settings import Settings
from tests.patience import take_time


def main() -> int:
    """What `run` does, and some routes."""
    take_time()
    settings = development.complete(Settings.load(os.environ))
    app = create_app(settings)

    @app.get("/slow", tags=["test"], **bearer())
    async def slow(seconds: float = 0.5) -> dict[str, float]:
        await asyncio.sleep(seconds)
        return {"seconds": seconds}

    @app.get("/until", tags=["test"], **bearer())
    async def until(file: Path) -> None:
        while not file.exists():  # noqa: ASYNC110, ASYNC240 - a file has no event, and is looked for quickly
            await asyncio.sleep(0.01)

    @app.get("/fast", tags=["test"], **bearer())
    async def fast() -> dict[str, bool]:
        return {"fast": True}

    @app.get("/large", tags=["test"], **bearer())
    async def large(size: int) -> Response:
        return Response(b"a" * size)

    @app.get("/stream", tags=["test"], **bearer())
    async def stream(parts: int) -> StreamingResponse:
        async def said() -> AsyncIterator[bytes]:
            for _ in range(parts):
                yield b"part"
                await asyncio.sleep(0.1)

        return StreamingResponse(said())

    return serve(app, settings, bind(settings.host, settings.port))


if __name__ == "__main__":
    sys.exit(main())
