"""LangChain's and LangSmith's own sinks, closed whatever the environment says.

With `LANGSMITH_TRACING` or `LANGCHAIN_TRACING_V2` and a key they send every state of a graph to whoever
`LANGSMITH_ENDPOINT` names; with `LANGCHAIN_TRACING` every run is a RuntimeError; debugging prints states.
"""

import os

_PREFIXES = ("LANGCHAIN_", "LANGGRAPH_", "LANGSMITH_")


def close_sinks() -> None:
    """Take the variables away from these libraries, then tell them; before the first import of LangGraph.

    The variables are their only switch for some of it, and no other part of the process reads them.
    """
    for name in [name for name in os.environ if name.startswith(_PREFIXES)]:
        del os.environ[name]
    from langchain_core.globals import set_debug, set_verbose  # noqa: PLC0415 - after the variables
    from langsmith.run_trees import configure  # noqa: PLC0415 - the same

    configure(enabled=False)  # also where somebody had imported it, and it had read them
    set_debug(value=False)
    set_verbose(value=False)
