"""What is asked of the provider, in the words of its official client."""

from collections.abc import Mapping
from typing import Any

import anthropic
from anthropic import AsyncAnthropic

MODEL = "claude-haiku-4-5"
ASKED = {"model": MODEL, "max_tokens": 400, "messages": [{"role": "user", "content": "Python at Siemens in Berlin?"}]}
TOOL = {
    "name": "search_jobs",
    "description": "Searches the catalogue.",
    "input_schema": {
        "type": "object",
        "properties": {
            "query": {"type": "string", "minLength": 2, "maxLength": 40},
            "limit": {"type": "integer", "minimum": 3, "maximum": 7},
            "level": {"enum": ["junior", "senior"]},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
            "remote": {"type": "boolean"},
        },
        "required": ["query", "limit", "level", "tags", "remote"],
    },
}
# 20,000 bytes: 5,000 tokens by the provider's estimate, more than the longest minimum.
LONG = "word " * 4000


def fault(words: str, **headers: str) -> Mapping[str, str]:
    """Headers that ask for faults."""
    return {"x-simulated-fault": words, **headers}


def cached(text: str, **control: str) -> list[dict[str, Any]]:
    """A block with a cache breakpoint behind it."""
    return [{"type": "text", "text": text, "cache_control": {"type": "ephemeral", **control}}]


async def streamed(client: AsyncAnthropic, **changes: Any) -> tuple[list[str], anthropic.types.Message]:
    """The pieces of a streamed answer, and all of it."""
    async with client.messages.stream(**{**ASKED, **changes}) as stream:
        pieces = [piece async for piece in stream.text_stream]
        return pieces, await stream.get_final_message()
