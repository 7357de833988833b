"""What LLM.md says of how it was measured."""

from __future__ import annotations

from pathlib import Path

RESULTS = Path(__file__).with_name("LLM.md")
VERSIONS = ("anthropic", "httpx2", "fastapi", "starlette", "uvicorn", "uvloop", "langgraph", "sqlalchemy")
METHOD = """\
# What the language model side costs

Written by `make bench-llm`; do not edit. The provider is the simulated one, in a process of its own; the service runs
with its defaults but for its rate limits, which are out of the way. CPU is that of the server's process, user space
and kernel. The bare relay is the anthropic client's raw event stream in a FastAPI `StreamingResponse`, without anything
of ours; relay, service, and the service without its hold-back filter run side by side in one session and are asked in
turns, with as many tokens as they can read; ratios are medians of the rounds' ratios. What one token more costs is the
difference between the longest letter and a usual one; the row of a usual call is what all of it comes to. The streams
of the crowd begin eight at a time and the cancelled calls are made by sixteen clients: more at once than two cores can
begin wait for the database, and after three seconds are answered with 503. Milliseconds are of a machine that others
use, too: near their limits, figures differ from run to run.

| what | asked | got | |
|---|---|---|---|
"""
