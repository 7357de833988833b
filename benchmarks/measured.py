"""The process that callgrind watches: `python -m benchmarks.measured VARIANT --requests N --endpoint URL`.

Instructions are counted only between the two toggles; the second one comes after the exporters are drained,
so that the work of background threads is in the figure.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import os
import random
import shutil
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import uvloop

from benchmarks.subject import AsgiApp, Subject, scope, tokens
from benchmarks.variants import VARIANTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WARM_UP = 60


async def receive() -> dict[str, Any]:
    """Returns the empty body of a GET."""
    return {"type": "http.request", "body": b"", "more_body": False}


class Sink:
    """Takes a response and keeps its status."""

    def __init__(self) -> None:
        self.status = 0

    async def send(self, message: dict[str, Any]) -> None:
        """Notes the status, drops the rest."""
        if message["type"] == "http.response.start":
            self.status = message["status"]


@asynccontextmanager
async def running(app: AsgiApp) -> AsyncIterator[None]:
    """Runs the app's lifespan around the block, as a server does."""
    to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    lifespan = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    task = asyncio.ensure_future(app(lifespan, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    answer = await from_app.get()
    if answer["type"] != "lifespan.startup.complete":
        raise RuntimeError(answer)
    try:
        yield
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        await from_app.get()
        await task


async def serve(app: AsgiApp, requests: int, authorisations: list[str]) -> None:
    """Sends the requests one after the other and insists on 200."""
    for token in itertools.islice(itertools.cycle(authorisations), requests):
        sink = Sink()
        await app(scope(token), receive, sink.send)
        if sink.status != 200:  # noqa: PLR2004 - a refused request would be a cheap one
            raise RuntimeError(f"the measured request was answered with {sink.status}")


def toggle(state: str) -> None:
    """Turns callgrind's instrumentation of this process on or off; does nothing outside valgrind."""
    control = shutil.which("callgrind_control")
    if control and os.environ.get("BENCH_UNDER_CALLGRIND"):
        subprocess.run(  # noqa: S603 - valgrind's own tool, on ourselves
            [control, "-i", state, str(os.getpid())], check=True, stdout=subprocess.DEVNULL
        )


async def measure(subject: Subject, requests: int) -> None:
    """Warms up, counts, drains."""
    authorisations = tokens()
    await serve(subject.app, WARM_UP, authorisations)
    await subject.drain()
    gc.collect()
    gc.freeze()
    toggle("on")
    await serve(subject.app, requests, authorisations)
    await subject.drain()
    toggle("off")


async def main() -> None:
    """Reads the command line and measures one variant."""
    parser = argparse.ArgumentParser()
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--endpoint", required=True)
    options = parser.parse_args()
    random.seed(42)  # the SDK draws trace ids from it: the same traces are sampled in every run
    variant = VARIANTS[options.variant]
    subject = variant.build(variant.sampling or 0.0, options.endpoint)
    if subject.lifespan:
        async with running(subject.app):
            await measure(subject, options.requests)
    else:
        await measure(subject, options.requests)


if __name__ == "__main__":
    uvloop.run(main())
