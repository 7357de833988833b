"""The five agents of one briefing: each reads the state, asks the model, and adds its answer."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.briefings.answers import Choice, Plan, Ranking, Speaker, Verdict, Written
from service.briefings.spans import Spans
from service.briefings.state import Item, Result, State
from service.briefings.tools import Toolbox, ToolMetrics, advert
from service.database import Database
from service.domain import jobs
from service.domain.briefings import Draft
from service.llm.background import Aside
from service.llm.model import Answering, Prompt

MAX_REVISIONS = 2
"""How often the critic may send a draft back."""

MAX_CANDIDATES = 30

PLAN, SEARCH, RANK, WRITE, CRITIC = AGENTS = ("plan", "search", "rank", "write", "critic")
_MAX_TOKENS = {PLAN: 400, SEARCH: 1000, RANK: 1500, WRITE: 2000, CRITIC: 600}


@dataclass(frozen=True, slots=True)
class Parts:
    """What agents work with.

    Args:
        database: the catalogue's and the profiles'.
        model_for: who answers for whom: admits, pays and filters each of its calls, and waits for limits.
        prompts: `briefing_plan`, `briefing_search`, `briefing_rank`, `briefing_write` and `briefing_critic`.
        spans: told of agents and tools.
        metrics: counts tool calls.
        wrap: marks a text of a kind (lower-case letters and hyphens) as data, for a model.
    """

    database: Database
    model_for: Callable[[Draft, Aside], Answering]
    prompts: Mapping[str, Prompt]
    spans: Spans
    metrics: ToolMetrics
    wrap: Callable[[str, str], str]


class Agents:
    """The agents of one briefing.

    Args:
        parts: what they work with.
        draft: what is asked for.
        cv: its owner's curriculum vitae.
        aside: what is entered while a limit is waited for.
    """

    def __init__(self, parts: Parts, draft: Draft, cv: str | None, aside: Aside) -> None:
        self._parts = parts
        self._speaker = Speaker(parts.model_for(draft, aside), draft.user)
        self._person = [("curriculum-vitae", cv or "")] + ([("focus", draft.focus)] if draft.focus else [])

    async def plan(self, state: State) -> State:  # noqa: ARG002 - every agent is given it
        """Decide what to search for."""
        with self._parts.spans.agent(PLAN):
            plan = await self._speaker.ask(*self._task(PLAN, self._person), Plan, _MAX_TOKENS[PLAN])
        return {"queries": plan.queries}

    async def search(self, state: State) -> State:
        """Find candidates with the tools."""
        toolbox = Toolbox(self._parts.database, self._parts.spans, self._parts.metrics, self._parts.wrap)
        given = [("planned-queries", json.dumps(state["queries"], ensure_ascii=False)), *self._person[1:]]
        with self._parts.spans.agent(SEARCH):
            await self._speaker.use_tools(*self._task(SEARCH, given), toolbox, _MAX_TOKENS[SEARCH])
        return {"found": list(toolbox.found)[:MAX_CANDIDATES]}

    async def rank(self, state: State) -> State:
        """Choose and order; nothing is asked about no candidates."""
        if not state["found"]:
            return {"ranking": []}
        given = [*self._person, *await self._adverts(state["found"])]
        with self._parts.spans.agent(RANK):
            ranking = await self._speaker.ask(*self._task(RANK, given), Ranking, _MAX_TOKENS[RANK])
        return {"ranking": _known(ranking.ranking, state["found"])}

    async def write(self, state: State) -> State:
        """Write the draft, again where the critic wants it."""
        ranked = [item["job_id"] for item in state["ranking"]]
        given = [*self._person, *await self._ranked(state)]
        if "draft" in state:
            given += [("earlier-draft", json.dumps(state["draft"], ensure_ascii=False)), ("remarks", state["remarks"])]
        with self._parts.spans.agent(WRITE):
            written = await self._speaker.ask(*self._task(WRITE, given), Written, _MAX_TOKENS[WRITE])
        items = _known(written.items, ranked)
        return {"draft": Result(title=written.title, summary=written.summary, items=items)}

    async def critic(self, state: State) -> State:
        """Judge the draft: remarks mean that it goes back."""
        draft = ("draft", json.dumps(state["draft"], ensure_ascii=False))
        given = [*self._person, *await self._ranked(state), draft]
        with self._parts.spans.agent(CRITIC):
            verdict = await self._speaker.ask(*self._task(CRITIC, given), Verdict, _MAX_TOKENS[CRITIC])
        remarks = verdict.remarks if verdict.verdict == "revise" else ""
        return {"remarks": remarks, "revisions": state.get("revisions", 0) + bool(remarks)}

    async def _ranked(self, state: State) -> list[tuple[str, str]]:
        ranking = ("ranking", json.dumps(state["ranking"], ensure_ascii=False))
        return [ranking, *await self._adverts([item["job_id"] for item in state["ranking"]])]

    async def _adverts(self, ids: Sequence[str]) -> list[tuple[str, str]]:
        return [("advert", advert(job)) for job in await jobs.by_ids(self._parts.database, ids)]

    def _task(self, agent: str, given: Iterable[tuple[str, str]]) -> tuple[Prompt, str]:
        content = "\n\n".join(self._parts.wrap(kind, text) for kind, text in given)
        return self._parts.prompts[f"briefing_{agent}"], content


def accepted(state: State) -> bool:
    """Whether the draft is the result: the critic has no remarks, or has had its say."""
    return not state["remarks"] or state["revisions"] > MAX_REVISIONS


def _known(choices: Iterable[Choice], ids: Sequence[str]) -> list[Item]:
    # A model may name what nobody found, and name a job twice.
    unique = {choice.job_id: choice.why for choice in reversed(list(choices)) if choice.job_id in ids}
    return [Item(job_id=job_id, why=unique[job_id]) for job_id in reversed(unique)]
