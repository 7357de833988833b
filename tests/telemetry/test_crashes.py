"""What nobody handled."""

import asyncio
import gc
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fastapi import FastAPI

from telemetry.testing import Recorder
from tests.telemetry.asgi import serving, watch

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import asyncio
from telemetry import Telemetry, TelemetrySettings

async def main():
    telemetry = Telemetry(TelemetrySettings(service_name="test"))
    await telemetry.start()
    return telemetry

telemetry = asyncio.run(main())
secret = "the-" + "local"
{last}
"""


def run(last: str) -> subprocess.CompletedProcess[str]:
    """Run a program that dies after its telemetry has started."""
    program = PROGRAM.format(last=last)
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_ctrl_c_is_no_crash() -> None:
    """A KeyboardInterrupt writes no line and no traceback."""
    done = run("raise KeyboardInterrupt")
    assert (done.stdout, done.stderr) == ("", "")


def test_an_exporter_that_was_given_up_is_silent() -> None:
    """What its thread logs after the stop is not written to standard error, where it could abort the process."""
    logger = "logging.getLogger('{}').warning('late')"
    exporters = [logger.format(f"{name}.some.module") for name in ("opentelemetry", "urllib3")]
    last = "; ".join(["import logging", "asyncio.run(telemetry.stop())", *exporters, logger.format("theirs")])
    done = run(last)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "late\n")


@pytest.fixture
def watched() -> tuple[FastAPI, Recorder]:
    """An app and what it tells."""
    app = FastAPI()
    return app, watch(app).recorder


async def test_threads_exception_is_a_line(watched: tuple[FastAPI, Recorder]) -> None:
    """An exception that ends a thread is one line with the thread's name."""
    app, recorder = watched

    def fail() -> None:
        raise ValueError("in a thread")

    async with serving(app):
        thread = threading.Thread(target=fail, name="worker-7")
        thread.start()
        await asyncio.to_thread(thread.join)
    (line,) = recorder.events("process.crashed")
    assert (line["thread"], line["exception"][0]["exc_value"]) == ("worker-7", "in a thread")


async def test_forgotten_tasks_exception_is_a_line(watched: tuple[FastAPI, Recorder]) -> None:
    """The exception of a task that nobody awaits is one line with the task's name."""
    app, recorder = watched

    async def fail() -> None:
        raise ValueError("in a task")

    async with serving(app):
        task = asyncio.create_task(fail(), name="sweeper")
        await asyncio.sleep(0.01)
        del task
        gc.collect()
    (line,) = recorder.events("task.failed")
    assert (line["task"], line["level"]) == ("sweeper", "error")
    assert line["exception"][0]["exc_value"] == "in a task"


async def test_callbacks_exception_is_a_line(watched: tuple[FastAPI, Recorder]) -> None:
    """The exception of a loop's callback is one line."""
    app, recorder = watched

    def fail() -> None:
        raise ValueError("in a callback")

    async with serving(app):
        asyncio.get_running_loop().call_soon(fail)
        await asyncio.sleep(0.01)
    (line,) = recorder.events("task.failed")
    assert line["task"] == "callback"


class Leaky:
    """Cannot be shown without what it is about, and fails as it goes."""

    def __repr__(self) -> str:
        return "ann@example.com"

    def __del__(self) -> None:
        raise ValueError("for ann@example.com")


async def test_finalizers_exception_is_a_line(
    watched: tuple[FastAPI, Recorder], capfd: pytest.CaptureFixture[str]
) -> None:
    """The exception of a `__del__` is one scrubbed line with the name of what failed, and nothing on stderr."""
    app, recorder = watched
    async with serving(app):
        Leaky()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    (line,) = recorder.events("finalizer.failed")
    assert (line["source"], line["level"]) == ("Leaky.__del__", "error")
    assert line["exception"][0]["exc_value"] == "for [REDACTED:email]"
    assert capfd.readouterr().err == ""


async def test_finalizers_exception_waits_for_the_loop(watched: tuple[FastAPI, Recorder]) -> None:
    """Where a `__del__` fails nothing is told yet, since that may be below any lock; in whatever thread."""
    app, recorder = watched
    async with serving(app):
        thread = threading.Thread(target=Leaky)
        thread.start()
        thread.join()
        Leaky()
        assert recorder.events("finalizer.failed") == []
        await asyncio.sleep(0.01)
    assert len(recorder.events("finalizer.failed")) == 2


def test_finalizer_after_the_loop_is_quiet() -> None:
    """What fails when no loop is left is not printed with its text."""
    done = run("class Late:\n    def __del__(self): raise ValueError(secret)\nLate()")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


async def test_hooks_are_given_back(watched: tuple[FastAPI, Recorder]) -> None:
    """After the stop the hooks are what they were."""
    app, _ = watched
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    async with serving(app):
        assert sys.excepthook is not before[0]
        assert sys.unraisablehook is not before[2]
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before
    assert asyncio.get_running_loop().get_exception_handler() is None
