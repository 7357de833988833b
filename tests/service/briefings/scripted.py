"""A language model that answers as the five agents' model does, and does what a test wants of it besides."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable

from service.llm.model import Call, Completion, Prompt, ToolUse, Usage

AGENTS = ("plan", "search", "rank", "write", "critic")
PROMPTS = {f"briefing_{agent}": Prompt(f"briefing_{agent}", "1", f"You {agent}.", "0" * 64) for agent in AGENTS}
_JOB = re.compile(r"job_[0-9a-f]{16}")
Reply = str | list[ToolUse]


def searching(*arguments: dict, tool: str = "search_jobs") -> list[ToolUse]:
    """Tool uses."""
    return [ToolUse(f"toolu_{number}", tool, given) for number, given in enumerate(arguments)]


class Scripted:
    """Answers calls by their prompt.

    Attributes:
        calls: how many each agent has made.
        asked: all of them.
        hooks: what an agent's next calls do first; what they return is the answer, if it is something.
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.asked: list[Call] = []
        self.hooks: dict[str, Callable[[Call], Awaitable[Reply | None]]] = {}

    def stream(self, call: Call):
        raise NotImplementedError

    async def complete(self, call: Call) -> Completion:
        agent = call.prompt.name.removeprefix("briefing_")
        self.calls[agent] += 1
        self.asked.append(call)
        reply = await self.hooks[agent](call) if agent in self.hooks else None
        reply = reply if reply is not None else getattr(self, agent)(call)
        text, uses = (reply, ()) if isinstance(reply, str) else ("", tuple(reply))
        return Completion(text, "tool_use" if uses else "end_turn", Usage(10, 0, 0, 5), "scripted", "m", "msg_1", uses)

    def holds(self, agent: str) -> asyncio.Event:
        """Let the agent's calls hang from now on; the event says that one has begun."""
        begun = asyncio.Event()

        async def hang(_: Call) -> None:
            begun.set()
            await asyncio.Event().wait()

        self.hooks[agent] = hang
        return begun

    def says(self, agent: str, reply: Reply) -> None:
        """Let the agent always give this answer."""

        async def say(_: Call) -> Reply:
            return reply

        self.hooks[agent] = say

    @staticmethod
    def plan(_: Call) -> Reply:
        return json.dumps({"queries": ["Data Engineer", "Berlin"]})

    @staticmethod
    def search(call: Call) -> Reply:
        if len(call.messages) > 1:
            return "done"
        return searching({"query": "Data Engineer", "limit": 3}, {"query": "Berlin", "limit": 2})

    @staticmethod
    def rank(call: Call) -> Reply:
        found = list(dict.fromkeys(_JOB.findall(call.messages[0].text)))
        return json.dumps({"ranking": [{"job_id": job, "why": "It fits."} for job in found[:3]]})

    @staticmethod
    def write(call: Call) -> Reply:
        found = list(dict.fromkeys(_JOB.findall(call.messages[0].text)))
        items = [{"job_id": job, "why": "You would like it."} for job in found[:3]]
        return json.dumps({"title": "Data work", "summary": "Three jobs.", "items": items})

    @staticmethod
    def critic(_: Call) -> Reply:
        return json.dumps({"verdict": "accept", "remarks": ""})
