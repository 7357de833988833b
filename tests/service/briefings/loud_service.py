"""A service that writes one briefing, and says how it ended and which threads run that are not its own."""

import asyncio
import json
import os
import threading

import httpx

from service.app import create_app
from service.commands.token import make_token
from service.settings import Settings
from tests.service.briefings.conftest import BRIEFINGS, equip, until_settled
from tests.service.briefings.scripted import Scripted


async def main() -> None:
    """Write one briefing."""
    settings = Settings.load({name: os.environ[name] for name in ("DATA_DIR", "JWT_SECRET")} | {"LOG_LEVEL": "error"})
    app = equip(create_app(settings), Scripted())
    headers = {"Authorization": f"Bearer {make_token(settings, 'alice', (), 600)}"}
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service.test", headers=headers) as client:
            made = (await client.post(BRIEFINGS, json={"focus": "SECRET-FOCUS"})).json()
            await until_settled(app)
            done = (await client.get(f"{BRIEFINGS}/{made['id']}")).json()
        theirs = [
            thread.name
            for thread in threading.enumerate()
            if (getattr(thread, "_target", None) or thread).__module__.startswith(("langsmith", "langchain"))
        ]
    print(json.dumps({"status": done["status"], "threads": theirs}), flush=True)  # noqa: T201 - the test reads it


asyncio.run(main())
