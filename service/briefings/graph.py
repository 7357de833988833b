"""The agents as a LangGraph graph: plan, search, rank, write, and a critic who may send it back."""

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from service.briefings.agents import CRITIC, PLAN, RANK, SEARCH, WRITE, Agents, Parts, accepted
from service.briefings.checkpoints import Checkpoints
from service.briefings.state import Result, State
from service.domain import profiles
from service.domain.briefings import Taken
from service.llm.background import Aside


class Pipeline:
    """Makes briefings.

    Args:
        parts: what the agents work with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, taken: Taken, aside: Aside) -> Result:
        """Write a briefing, from its checkpoint on where there is one.

        Args:
            taken: which.
            aside: what is entered while a limit is waited for.

        Raises:
            InvalidAnswer: a model did not answer as it must.
            LlmError: a model cannot be asked.
            Superseded: the briefing is somebody else's by now, or erased.
            Unavailable: the database is gone or busy; what was done is kept.
        """
        profile = await profiles.by_owner(self._parts.database, taken.draft.owner)
        cv = None if profile is None else profile.cv_content
        agents = Agents(self._parts, taken.draft, cv, aside)
        checkpoints = Checkpoints(self._parts.database, taken)
        graph = _compiled(agents, checkpoints)
        begun = await checkpoints.aget_tuple({}) is not None
        # `sync`: an agent begins when what the one before did is in the database.
        state = await graph.ainvoke(
            None if begun else {"revisions": 0},
            {"configurable": {"thread_id": taken.id}, "callbacks": []},
            durability="sync",
        )
        result: Result = state["draft"]
        return result


def _compiled(agents: Agents, checkpoints: Checkpoints) -> CompiledStateGraph[State, None, State, State]:
    graph = StateGraph(State)
    for name, agent in (
        (PLAN, agents.plan),
        (SEARCH, agents.search),
        (RANK, agents.rank),
        (WRITE, agents.write),
        (CRITIC, agents.critic),
    ):
        graph.add_node(name, agent)
    for before, after in ((START, PLAN), (PLAN, SEARCH), (SEARCH, RANK), (RANK, WRITE), (WRITE, CRITIC)):
        graph.add_edge(before, after)
    graph.add_conditional_edges(CRITIC, _after_critic, [WRITE, END])
    return graph.compile(checkpointer=checkpoints, debug=False)


def _after_critic(state: State) -> Literal["write", "__end__"]:
    return "__end__" if accepted(state) else "write"
