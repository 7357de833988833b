"""LangSmith and LangChain tell nobody anything, whatever the environment says."""

import asyncio
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOUD = {
    "LANGSMITH_TRACING": "true",
    "LANGSMITH_TRACING_V2": "true",
    "LANGSMITH_API_KEY": "lsv2_pt_not_a_key",
    "LANGSMITH_PROJECT": "trap",
    "LANGCHAIN_TRACING": "true",
    "LANGCHAIN_TRACING_V2": "true",
    "LANGCHAIN_HANDLER": "langchain",
    "LANGCHAIN_API_KEY": "lsv2_pt_not_a_key",
    "LANGCHAIN_VERBOSE": "true",
    "LANGCHAIN_DEBUG": "true",
    "LANGCHAIN_LOG": "debug",
    "LANGGRAPH_STRICT_MSGPACK": "false",
}


@pytest.fixture
def trap():
    """A server that keeps the paths it was asked for."""
    asked: list[str] = []

    class Trap(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_GET = do_PATCH = do_POST  # noqa: N815 - http.server's names

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Trap)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


async def run(script: str, tmp_path: Path, url: str) -> dict:
    """What a script says in a process with the loudest environment there is."""
    environ = {**os.environ, **LOUD, "LANGSMITH_ENDPOINT": url, "LANGCHAIN_ENDPOINT": url, "PYTHONPATH": str(ROOT)}
    environ |= {"DATA_DIR": str(tmp_path), "JWT_SECRET": "s" * 64}
    pipe = asyncio.subprocess.PIPE
    path = Path(__file__).with_name(script)
    process = await asyncio.create_subprocess_exec(sys.executable, path, env=environ, stdout=pipe, stderr=pipe)
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return {"out": out.decode(), "err": err.decode()}


async def test_nothing_arrives(trap, tmp_path):
    """With every variable set a briefing is done; nothing was sent, no thread of theirs runs, nothing was printed."""
    url, asked = trap
    said = await run("loud_service.py", tmp_path, url)
    told = json.loads(said["out"].splitlines()[-1])
    assert told["status"] == "done"
    assert told["threads"] == []
    assert asked == []
    assert len(said["out"].splitlines()) == 1
    assert said["err"] == ""


async def test_the_trap_would_catch_it(trap, tmp_path):
    """The same environment makes LangGraph send its state to the trap where nobody closes the sinks."""
    url, asked = trap
    await run("loud_graph.py", tmp_path, url)
    assert asked
