"""Times each layer of the chain by what it costs itself, without what it wraps.

A boundary stands before each layer and behind the last one. It reads a clock that stands still while a message
is on its way to or from the server, on entering and on leaving; a layer's own time is what passes between its
two boundaries, before and after, and in what it put around `send` and `receive`. A layer that hands those on as
it got them costs nothing per message: the next boundary sees that they are the same objects.

Who waits for the client's leave has a `receive` open while the answer is sent: the two directions' times are apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import add, sub
from time import perf_counter
from typing import TYPE_CHECKING, Any

from telemetry.request import SCOPE_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from telemetry.request import RequestRecord


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of the chain: its name, its pure-ASGI class and the class's keyword arguments."""

    name: str
    factory: Callable[..., ASGIApp]
    options: Mapping[str, Any] = field(default_factory=dict)


class Clock:
    """The times of one request in its layers; all in seconds.

    Attributes:
        sending: time spent in the server's `send`, during which the clock stands still.
        receiving: time spent in the server's `receive`, the same.
        entered: readings at each boundary's entry, outermost first.
        wrapped: own time of each layer's wrappers of `send` and `receive`, by the layer's index.
    """

    __slots__ = ("entered", "left", "receive", "receiving", "send", "sending", "wrapped")

    def __init__(self, receive: Receive, send: Send) -> None:
        self.sending = self.receiving = 0.0
        self.entered: list[float] = []
        self.left: list[float] = []
        self.wrapped: dict[int, float] = {}
        self.send = send
        self.receive = receive

    def now(self) -> float:
        """Give a reading."""
        return perf_counter() - self.sending - self.receiving

    def own_times(self, layers: int) -> list[float]:
        """Give the own time so far of each layer that was entered, outermost first.

        Args:
            layers: number of layers in the chain.
        """
        entered, left = self.entered, self.left
        turned = left[0] if left else self.now()
        own = list(map(sub, (*entered[1:], turned), entered))
        if len(left) > 1:
            outwards = left[::-1]
            own = list(map(add, own, (*map(sub, outwards, outwards[1:]), 0.0)))
        for layer, seconds in self.wrapped.items():
            own[layer] += seconds
        return own[:layers]

    def around_send(self, layer: int, send: Send) -> Send:
        """Time what a layer put around `send`."""

        async def timed(message: Message) -> None:
            begun = perf_counter() - self.sending
            try:
                await send(message)
            finally:
                own = perf_counter() - self.sending - begun
                self.wrapped[layer] = self.wrapped.get(layer, 0.0) + own
                # For the inner layers whose wrappers this call was in the clock stood still.
                self.sending += own

        return timed

    def around_receive(self, layer: int, receive: Receive) -> Receive:
        """Time what a layer put around `receive`."""

        async def timed() -> Message:
            begun = perf_counter() - self.receiving
            try:
                return await receive()
            finally:
                # Several may wait for the client's leave at once; the time of each is added.
                own = max(perf_counter() - self.receiving - begun, 0.0)
                self.wrapped[layer] = self.wrapped.get(layer, 0.0) + own
                self.receiving += own

        return timed


class Boundary:
    """Stands before a layer; the last one stands behind the last layer.

    Args:
        app: the layer, or what the chain wraps.
        layer: index of the layer before this boundary; -1 for none.
    """

    def __init__(self, app: ASGIApp, layer: int) -> None:
        self.app = app
        self._layer = layer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on; other scope types untimed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        clock: Clock = scope[SCOPE_KEY].clock
        clock.entered.append(clock.now())
        if send is not clock.send:
            send = clock.send = clock.around_send(self._layer, send)
        if receive is not clock.receive:
            receive = clock.receive = clock.around_receive(self._layer, receive)
        try:
            await self.app(scope, receive, send)
        finally:
            clock.left.append(clock.now())


class TimedChain:
    """The layers, one inside the other, with a boundary on either side of each.

    Args:
        app: what the chain wraps.
        layers: outermost first.
        finished: told of each request that has left the chain.
    """

    def __init__(self, app: ASGIApp, *, layers: tuple[Layer, ...], finished: Callable[[RequestRecord], None]) -> None:
        inner: ASGIApp = Boundary(app, len(layers) - 1)
        for index in reversed(range(len(layers))):
            inner = Boundary(layers[index].factory(inner, **layers[index].options), index - 1)
        self.app = inner
        self._finished = finished

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request through the layers; other scope types untimed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        record: RequestRecord = scope[SCOPE_KEY]
        record.clock = Clock(receive, send)
        try:
            await self.app(scope, receive, send)
        finally:
            self._finished(record)
