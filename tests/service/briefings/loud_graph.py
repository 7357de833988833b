"""LangGraph as it is, with nobody to close its sinks."""

from typing import TypedDict

from langchain_core.tracers.langchain import wait_for_all_tracers
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    """A state."""

    text: str


graph = StateGraph(State)
graph.add_node("node", lambda state: state)
graph.add_edge(START, "node")
graph.add_edge("node", END)
graph.compile().invoke({"text": "SECRET"})
wait_for_all_tracers()
