"""The service with one more route, which tells what its process holds; only a benchmark runs it."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections import Counter

from service import development
from service.access import bearer
from service.app import create_app
from service.commands.run import serve
from service.listeners import bind
from service.settings import Settings

HELD = "/held"


def main() -> int:
    """What `run` does, and the route."""
    settings = development.complete(Settings.load(os.environ))
    app = create_app(settings)

    @app.get(HELD, tags=["benchmark"], **bearer())
    async def held() -> dict[str, int]:
        gc.collect()
        return Counter(getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks())

    return serve(app, settings, bind(settings.host, settings.port))


if __name__ == "__main__":
    sys.exit(main())
