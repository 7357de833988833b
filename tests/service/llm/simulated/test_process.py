"""The process: it starts, it ends, and it keeps what it is told to itself."""

import asyncio
import signal
import socket
import subprocess
import sys
from ipaddress import ip_address

import httpx2
import pytest

from service.llm.simulated.console import _is_loopback
from tests.patience import PATIENCE
from tests.service.llm.simulated.asking import ASKED, fault
from tests.service.llm.simulated.process import ROOT, provider

HEADERS = {"x-api-key": "sk-secret", "anthropic-version": "2023-06-01"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals(number: signal.Signals):
    """A signal ends it with status 0, in the middle of a call and without a word of it."""
    with provider() as running:
        async with httpx2.AsyncClient(base_url=running.url, headers=HEADERS, timeout=PATIENCE) as http:
            await http.post("/v1/messages", json=ASKED)
            stalled = asyncio.create_task(http.post("/v1/messages", json=ASKED, headers=fault("stall")))
            running_state = await asyncio.to_thread(running.reached, requests=2)
            assert running_state["open"] == 1
            running.process.send_signal(number)
            assert await asyncio.to_thread(running.process.wait, PATIENCE) == 0
            with pytest.raises(httpx2.HTTPError):
                await stalled
        assert (running.process.stdout.read(), running.process.stderr.read()) == (b"", b"")


def test_parent():
    """Its parent's end is its own."""
    with provider() as running:
        running.process.stdin.close()
        assert running.process.wait(PATIENCE) == 0


def test_imports():
    """It needs neither a client library nor a web framework."""
    code = (
        "import sys, service.llm.simulated.server\n"
        "print(*{name.partition('.')[0] for name in sys.modules} & {'anthropic', 'fastapi', 'langchain', 'langgraph',"
        " 'pydantic', 'sqlalchemy', 'opentelemetry', 'structlog'})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.strip() == b""


def test_taken_port():
    """A port that is taken is said in one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "service.llm.simulated", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"simulated: cannot listen: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "arguments", [["--fault", "no"], ["--token-delay", "-1"], ["--token-delay", "nan"], ["--port", "65536"]]
)
def test_wrong_arguments(arguments: list[str]):
    """Wrong arguments are refused."""
    command = [sys.executable, "-m", "service.llm.simulated", *arguments]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "10.0.0.1", "192.0.2.1"])
def test_loopback(host: str):
    """The console is for this machine alone."""
    assert _is_loopback({"client": (host, 1)}) is ip_address(host).is_loopback
    assert not _is_loopback({"client": None})


async def test_many_streams():
    """A hundred streams at once are each what one alone is."""
    asked = ASKED | {"stream": True}
    with provider() as running:
        limits = httpx2.Limits(max_connections=100)
        async with httpx2.AsyncClient(base_url=running.url, headers=HEADERS, limits=limits, timeout=60) as http:
            alone = _deltas((await http.post("/v1/messages", json=asked)).content)
            answers = await asyncio.gather(*(http.post("/v1/messages", json=asked) for _ in range(100)))
        assert [_deltas(answer.content) for answer in answers] == [alone] * 100
        state = running.ask("GET", "/state")
        assert (state["answered"], state["open"]) == (101, 0)


def _deltas(stream: bytes) -> list[bytes]:
    return [event for event in stream.split(b"\n\n") if b"content_block_delta" in event]
