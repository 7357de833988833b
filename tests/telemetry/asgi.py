"""Speaks ASGI to an application, as a server does, with every field of the scope in the test's hands."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fastapi import FastAPI

from telemetry import Layer, Telemetry, TelemetrySettings, instrument
from telemetry.testing import Recorder

Headers = Iterable[tuple[bytes, bytes]]
SERVER = ("127.0.0.1", 8000)


class Watched(NamedTuple):
    """An application's telemetry and what it told."""

    telemetry: Telemetry
    recorder: Recorder


def watch(app: FastAPI, *, layers: tuple[Layer, ...] = (), response_headers: Any = None, **options: Any) -> Watched:
    """Instrument an application and record what it tells; `options` are `TelemetrySettings`."""
    more = {} if response_headers is None else {"response_headers": response_headers}
    telemetry = instrument(app, TelemetrySettings(**{"service_name": "test", **options}), layers=layers, **more)
    return Watched(telemetry, Recorder(telemetry))


@dataclass
class Answer:
    """What came of a request."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    error: BaseException | None = None

    @property
    def status(self) -> int:
        return self.messages[0]["status"]

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages[1:])

    def all(self, name: str) -> list[str]:
        return [value.decode() for key, value in self.messages[0]["headers"] if key.lower() == name.encode()]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, values
        return values[0] if values else None

    @property
    def trace_id(self) -> str:
        return (self.header("traceresponse") or "").split("-")[1]

    @property
    def span_id(self) -> str:
        return (self.header("traceresponse") or "").split("-")[2]


class Served:
    """A started application."""

    def __init__(self, app: Any, state: dict[str, Any]) -> None:
        self.app = app
        self.state = state

    def scope(self, method: str, path: str, headers: Headers, peer: str | None, root_path: str) -> dict[str, Any]:
        path, _, query = path.partition("?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": root_path + path,
            "raw_path": (root_path + path).encode("utf-8", "surrogatepass"),
            "root_path": root_path,
            "query_string": query.encode(),
            "headers": [(b"host", b"test.example"), *headers],
            "client": None if peer is None else (peer, 50000),
            "server": SERVER,
            "state": dict(self.state),
        }

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        peer: str | None = "127.0.0.1",
        root_path: str = "",
        leave_after: int | None = None,
    ) -> Answer:
        """Send a request; `leave_after` messages of the answer the client disconnects."""
        answer = Answer()
        gone = asyncio.Event()
        incoming = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if incoming:
                return incoming.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            answer.messages.append(dict(message))
            last = message["type"] == "http.response.body" and not message.get("more_body", False)
            if last or len(answer.messages) == leave_after:
                gone.set()

        try:
            await self.app(self.scope(method, path, headers, peer, root_path), receive, send)
        except Exception as error:  # noqa: BLE001 - an application may raise anything; the test looks at it
            answer.error = error
        return answer

    async def get(self, path: str, **options: Any) -> Answer:
        """Send a GET."""
        return await self.request("GET", path, **options)


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[Served]:
    """Run an application's lifespan, by the protocol, around an `async with`."""
    to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    state: dict[str, Any] = {}
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
    life = asyncio.ensure_future(app(scope, to_app.get, from_app.put))

    async def say(phase: str) -> None:
        await to_app.put({"type": f"lifespan.{phase}"})
        answer = asyncio.ensure_future(from_app.get())
        await asyncio.wait({answer, life}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            await life
        message = await answer
        if message["type"] != f"lifespan.{phase}.complete":
            await asyncio.gather(life, return_exceptions=True)
            raise RuntimeError(message.get("message", phase))

    await say("startup")
    try:
        yield Served(app, state)
    finally:
        await say("shutdown")
        await life
