"""An answer in the API's words, whole or event by event.

https://platform.claude.com/docs/en/build-with-claude/streaming ("Event types").
"""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import orjson

from service.llm.simulated.answer import Answer, Part
from service.llm.simulated.cache import Charge


def message(message_id: str, model: str, answer: Answer, charge: Charge) -> dict[str, Any]:
    """Give the whole answer."""
    return {
        **_head(message_id, model),
        "content": [part.block() for part in answer.parts],
        **_end(answer),
        "usage": charge.usage(answer.output_tokens),
    }


def event(name: str, data: bytes) -> bytes:
    """Give one server-sent event."""
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


def beginning(message_id: str, model: str, charge: Charge) -> bytes:
    """Give the events before the first block."""
    started = {
        **_head(message_id, model),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": charge.usage(1),
    }
    return _event("message_start", message=started)


def block_beginning(index: int, part: Part) -> bytes:
    """Give the events before a block's first piece."""
    block = {"type": "text", "text": ""}
    if part.tool:
        block = {"type": "tool_use", "id": part.id, "name": part.tool, "input": {}}  # type: ignore[dict-item]
    begun = _event("content_block_start", index=index, content_block=block)
    return begun if index else begun + _event("ping")


def delta(index: int, part: Part, piece: str) -> bytes:
    """Give a piece of a block."""
    change = {"type": "input_json_delta", "partial_json": piece} if part.tool else {"type": "text_delta", "text": piece}
    return _event("content_block_delta", index=index, delta=change)


def block_end(index: int) -> bytes:
    """Give the event after a block's last piece."""
    return _event("content_block_stop", index=index)


def ending(answer: Answer, charge: Charge) -> bytes:
    """Give the events after the last block."""
    usage = charge.usage(answer.output_tokens)
    counted = {name: usage[name] for name in usage if name not in ("cache_creation", "service_tier")}
    return _event("message_delta", delta=_end(answer), usage=counted) + _event("message_stop")


def endless(answer: Answer) -> Iterator[str]:
    """Give pieces for ever."""
    pieces = [piece for part in answer.parts if not part.tool for piece in part.pieces()]
    return cycle(pieces or [" and so on"])


def _event(name: str, **data: Any) -> bytes:  # noqa: ANN401 - JSON
    return event(name, orjson.dumps({"type": name, **data}))


def _head(message_id: str, model: str) -> dict[str, Any]:
    return {"id": message_id, "type": "message", "role": "assistant", "model": model}


def _end(answer: Answer) -> dict[str, Any]:
    return {
        "stop_reason": answer.stop_reason,
        "stop_sequence": answer.stop_sequence,
        "stop_details": answer.stop_details,
    }
