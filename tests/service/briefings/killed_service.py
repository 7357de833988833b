"""A service that says on standard output when a briefing's third agent is at work, and then waits to be killed."""

import asyncio
import json
import os

import httpx

from service.app import create_app
from service.commands.token import make_token
from service.settings import Settings
from tests.service.briefings.conftest import BRIEFINGS, equip
from tests.service.briefings.scripted import Scripted


async def main() -> None:
    """Ask for a briefing and hang in it."""
    settings = Settings.load({name: os.environ[name] for name in ("DATA_DIR", "JWT_SECRET")} | {"LOG_LEVEL": "error"})
    model = Scripted()
    held = model.holds("rank")
    app = equip(create_app(settings), model)
    headers = {"Authorization": f"Bearer {make_token(settings, 'alice', (), 600)}"}
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service.test", headers=headers) as client:
            made = (await client.post(BRIEFINGS)).json()
        await held.wait()
        print(json.dumps({**made, "calls": model.calls}), flush=True)  # noqa: T201 - what the test waits for
        await asyncio.Event().wait()


asyncio.run(main())
