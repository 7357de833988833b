"""A relay without anything of ours: the anthropic client, FastAPI, and what a competent person writes between them.

`python -m benchmarks.relay PROVIDER` serves it with uvicorn on a free port, which it prints.
"""

from __future__ import annotations

import json
import socket
import sys
from typing import TYPE_CHECKING

import anthropic
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from service.llm.prompts import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MODEL = "claude-sonnet-5-5"
MAX_TOKENS = 1400


class Letter(BaseModel):
    """What is asked."""

    text: str


def relay(provider: str) -> FastAPI:
    """Build it.

    Args:
        provider: its URL.
    """
    app = FastAPI()
    client = anthropic.AsyncAnthropic(base_url=provider, api_key="simulated", max_retries=0)
    system = load()["cover_letter"].text

    async def events(text: str) -> AsyncIterator[str]:
        stream = await client.messages.create(
            model=MODEL,
            max_tokens=MAX_TOKENS,
            system=[{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}],
            messages=[{"role": "user", "content": text}],
            stream=True,
        )
        async for event in stream:
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                yield f"event: token\ndata: {json.dumps({'text': event.delta.text})}\n\n"

    @app.post("/letters")
    async def letters(letter: Letter) -> StreamingResponse:
        return StreamingResponse(events(letter.text), media_type="text/event-stream")

    return app


def main(provider: str) -> None:
    """Serve until the end of standard input, or a signal."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(relay(provider), log_level="warning", access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
