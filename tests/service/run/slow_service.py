"""The service with one more route, which takes its time; only tests run it."""

import asyncio
import os
import sys

from service import development
from service.access import bearer
from service.app import create_app
from service.commands.run import serve
from service.listeners import bind
from service.settings import Settings


def main() -> int:
    """What `run` does, and two routes."""
    settings = development.complete(Settings.load(os.environ))
    app = create_app(settings)

    @app.get("/slow", tags=["test"], **bearer())
    async def slow(seconds: float = 0.5) -> dict[str, float]:
        await asyncio.sleep(seconds)
        return {"seconds": seconds}

    @app.get("/fast", tags=["test"], **bearer())
    async def fast() -> dict[str, bool]:
        return {"fast": True}

    return serve(app, settings, bind(settings.host, settings.port))


if __name__ == "__main__":
    sys.exit(main())
