"""Times each layer of the chain by what it costs itself, without what it wraps.

own = (time in the layer) - (time in what it wraps)
      + (time in the layer's wrappers of `send` and `receive`) - (time in the originals they call)

A layer that hands `send` and `receive` on as it got them costs nothing per message: the boundary sees that
they are the same objects and hands on the originals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any

from telemetry.request import current_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of the chain: its name, its pure-ASGI class and the class's keyword arguments."""

    name: str
    factory: Callable[..., ASGIApp]
    options: Mapping[str, Any] = field(default_factory=dict)


class Frame:
    """The time of one request in one layer; all durations in seconds."""

    __slots__ = (
        "_receive", "_send", "before", "entered", "inside", "io", "name", "receive", "send", "started_ns", "wrapped",
    )  # fmt: skip

    def __init__(self, name: str, receive: Receive, send: Send) -> None:
        self.name = name
        self._receive = receive
        self._send = send
        self.receive = self._timed_receive
        self.send = self._timed_send
        self.before = -1.0
        self.inside = self.wrapped = self.io = 0.0
        self.started_ns = time_ns()
        self.entered = perf_counter()

    async def _timed_send(self, message: Message) -> None:
        begun = perf_counter()
        try:
            await self._send(message)
        finally:
            self.io += perf_counter() - begun

    async def _timed_receive(self) -> Message:
        begun = perf_counter()
        try:
            return await self._receive()
        finally:
            self.io += perf_counter() - begun

    def unwrap_send(self, send: Send) -> Send:
        """Give the original where the layer handed its `send` on; else time what the layer put around it."""
        if send is self.send:
            return self._send

        async def timed(message: Message) -> None:
            begun = perf_counter()
            try:
                await send(message)
            finally:
                self.wrapped += perf_counter() - begun

        return timed

    def unwrap_receive(self, receive: Receive) -> Receive:
        """Give the original where the layer handed its `receive` on; else time what the layer put around it."""
        if receive is self.receive:
            return self._receive

        async def timed() -> Message:
            begun = perf_counter()
            try:
                return await receive()
            finally:
                self.wrapped += perf_counter() - begun

        return timed

    def own_so_far(self, now: float) -> float:
        """Give the layer's own time up to `now` (seconds), while what it wraps may still be running."""
        before = self.before if self.before >= 0 else now - self.entered
        return max(before + self.wrapped - self.io, 0.0)


class TimedLayer:
    """A layer with a clock on either side of it.

    Args:
        app: what the layer wraps.
        layer: the layer.
        index: its place in the chain, from 0.
        observe: takes the own time, seconds.
        left: told of each finished frame with its own time, seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        layer: Layer,
        index: int,
        observe: Callable[[float], None],
        left: Callable[[Scope, Frame, float], None],
    ) -> None:
        self.app = layer.factory(self._inner, **layer.options)
        self._wrapped_app = app
        self._name = layer.name
        self._index = index
        self._observe = observe
        self._left = left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request through the layer; other scope types go through it untimed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        frame = Frame(self._name, receive, send)
        frames = current_request(scope).frames
        frames.append(frame)
        try:
            await self.app(scope, frame.receive, frame.send)
        finally:
            own = max(perf_counter() - frame.entered - frame.inside + frame.wrapped - frame.io, 0.0)
            self._observe(own)
            self._left(scope, frame, own)

    async def _inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._wrapped_app(scope, receive, send)
            return
        frame = current_request(scope).frames[self._index]
        begun = perf_counter()
        frame.before = begun - frame.entered
        try:
            await self._wrapped_app(scope, frame.unwrap_receive(receive), frame.unwrap_send(send))
        finally:
            frame.inside += perf_counter() - begun
