"""Makes the application, forks, and serves one request in each child: `forking.py CHILDREN`.

Settings come from the environment. A program of its own: a test's process has threads, and a server does not fork
with those.
"""

import asyncio
import os
import sys
import threading

import httpx
from fastapi import FastAPI

from service.app import create_app
from service.commands.token import make_token
from service.settings import Settings
from tests.patience import take_time, take_time_to_flush


async def serve_one(app: FastAPI, token: str) -> None:
    """Run the application's life with one request in it."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
            answer = await client.get("/api/v1/jobs?limit=1", headers={"Authorization": f"Bearer {token}"})
            sys.stdout.write(f"child {answer.status_code} {answer.headers['traceresponse'].split('-')[1]}\n")
            sys.stdout.flush()


def main(children: int) -> int:
    """Fork after everything was made; the worst status of a child."""
    take_time()
    take_time_to_flush()
    settings = Settings.load({name: value for name, value in os.environ.items() if name not in {"PATH", "PYTHONPATH"}})
    app = create_app(settings)
    token = make_token(settings, "alice", (), 600)
    assert threading.active_count() == 1, threading.enumerate()
    worst = 0
    for _ in range(children):
        child = os.fork()
        if child == 0:
            asyncio.run(serve_one(app, token))
            return 0
        worst |= os.waitpid(child, 0)[1]
    return os.waitstatus_to_exitcode(worst)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
