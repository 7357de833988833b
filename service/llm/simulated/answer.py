"""The answer to a request: what it holds, where it ends, and why."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from service.llm.simulated.faults import LEAK, Fault
from service.llm.simulated.request import Json, Request
from service.llm.simulated.tokens import BYTES_PER_TOKEN, tokens
from service.llm.simulated.writing import made, words, write

# A word with the space before it; what is one token of output in time, if not in the estimate.
_PIECE = re.compile(r"\s*\S+|\s+")
_FRAGMENT = 12


@dataclass(frozen=True, slots=True)
class Part:
    """A block of the answer.

    Attributes:
        text: what is said; of a tool's use its arguments, JSON.
        id: of a tool's use; "" for text.
        tool: the tool's name; "" for text.
        complete: whether all of it is here.
    """

    text: str
    id: str = ""
    tool: str = ""
    complete: bool = True

    def pieces(self) -> list[str]:
        """Give it as it is streamed."""
        if not self.tool:
            return _PIECE.findall(self.text)
        return [self.text[at : at + _FRAGMENT] for at in range(0, len(self.text), _FRAGMENT)]

    def block(self) -> dict[str, Any]:
        """Give it as a content block."""
        if not self.tool:
            return {"type": "text", "text": self.text}
        arguments = orjson.loads(self.text) if self.complete else {}
        return {"type": "tool_use", "id": self.id, "name": self.tool, "input": arguments}


@dataclass(frozen=True, slots=True)
class Answer:
    """All of it.

    Attributes:
        parts: its blocks.
        stop_reason: the API's word for why it ends.
        stop_sequence: which one ended it; None: none did.
        stop_details: what is to be said of a refusal; None: nothing.
    """

    parts: tuple[Part, ...]
    stop_reason: str
    stop_sequence: str | None = None
    stop_details: Mapping[str, Any] | None = None

    @property
    def output_tokens(self) -> int:
        """What it took."""
        return tokens(sum(len(part.text.encode()) for part in self.parts))


def compose(request: Request, seed: int, faults: Mapping[str, Fault]) -> Answer:
    """Make the answer to a request: the same one for the same seed."""
    if request.max_tokens == 0:
        return Answer((), "max_tokens")
    if "refusal" in faults:
        details = {"type": "refusal", "category": None, "explanation": "This request was declined."}
        return Answer((), "refusal", stop_details=details)
    digest = request.digest(seed)
    chance = random.Random(digest)  # noqa: S311 - what it decides must be the same again
    if request.may_use_tools and (request.tool is not None or not request.answers_tool):
        tool = next((tool for tool in request.tools if tool["name"] == request.tool), request.tools[0])
        use = Part(_arguments(tool, request, chance, faults), f"toolu_{digest.hex()[:24]}", tool["name"])
        said = () if request.tool is not None else (Part(_changed("I will look that up.", request, faults)),)
        return _limited(Answer((*said, use), "tool_use"), request)
    text = _changed(write(request, chance), request, faults)
    if request.prefill:
        text = text.removeprefix(request.prefill)
    return _limited(Answer((Part(text),), "end_turn"), request)


def _changed(text: str, request: Request, faults: Mapping[str, Fault]) -> str:
    if "echo_system" in faults:
        text = f"{request.system}\n\n{text}"
    if LEAK in faults:
        middle = text.find(" ", len(text) // 2) + 1 or len(text)
        text = f"{text[:middle]}{faults[LEAK].text} {text[middle:]}"
    return text


def _arguments(tool: Json, request: Request, chance: random.Random, faults: Mapping[str, Fault]) -> str:
    schema = tool["input_schema"]
    if "tool_garbage" in faults:
        wrong = {name: {"not": ["what", "was", "asked", 4.5]} for name in schema.get("properties", {})}
        return orjson.dumps({**wrong, "unasked": words(request)[0], "__proto__": "../../etc/passwd"}).decode()
    return orjson.dumps(made(schema | {"type": "object"}, request, chance)).decode()


def _limited(answer: Answer, request: Request) -> Answer:
    """End an answer where `stop_sequences` or `max_tokens` end it, whichever is first."""
    left = request.max_tokens * BYTES_PER_TOKEN
    parts: list[Part] = []
    for part in answer.parts:
        stop, at = None, len(part.text)
        for sequence in request.stop_sequences if not part.tool else ():
            found = part.text.find(sequence)
            if 0 <= found < at:
                stop, at = sequence, found
        kept = part.text[:at]
        if len(kept.encode()) > left:
            cut = kept.encode()[:left].decode(errors="ignore")
            return Answer((*parts, replace(part, text=cut, complete=False)) if cut else tuple(parts), "max_tokens")
        parts.append(replace(part, text=kept))
        if stop is not None:
            return Answer(tuple(parts), "stop_sequence", stop)
        left -= len(kept.encode())
    return replace(answer, parts=tuple(parts))
