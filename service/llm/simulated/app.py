"""The provider as an ASGI application."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import orjson

from service.llm.simulated import events
from service.llm.simulated.answer import compose
from service.llm.simulated.cache import PromptCache
from service.llm.simulated.console import Console
from service.llm.simulated.delivery import EVENTS, JSON, Cut, Delivery, Send, silence
from service.llm.simulated.errors import ApiError
from service.llm.simulated.faults import STATUSES, Fault, UnknownFault, befall, parse
from service.llm.simulated.heads import answered, asked, credential, identifier
from service.llm.simulated.ledger import Entry, Ledger
from service.llm.simulated.options import Options
from service.llm.simulated.validation import VERSIONS, validate

MAX_BODY = 32 * 1024 * 1024

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Simulator:
    """Answers `POST /v1/messages` and `GET /healthz`; the rest is the console's.

    Args:
        options: how it behaves.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._cache = PromptCache(options.cache_ttl)
        self._ledger = Ledger(keep_bodies=options.keep_bodies)
        self._console = Console(self._ledger, self._cache, options.faults)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"] == "/v1/messages" and scope["method"] == "POST":
            await self._messages(scope, receive, send)
            return
        delivery = Delivery(send, [], {}, 0, "")
        try:
            body = await self._console.answer(scope, receive)
        except ApiError as error:
            await delivery.whole(error.status, JSON, error.body(identifier("req", self._options.seed, 0)))
        else:
            await delivery.whole(200, JSON, body)

    async def _messages(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = self._ledger.count + 1
        entry = self._ledger.arrived(identifier("req", self._options.seed, number), scope["headers"])
        body = await _read(receive)
        if body is None:
            self._ledger.ended(entry, "cancelled")
            return
        self._ledger.read(entry, body)

        async def noted(message: dict[str, Any]) -> None:
            entry.status = message.get("status", entry.status)
            await send(message)

        # The client's leaving is waited for all the time: a stream to nobody ends at once.
        work = asyncio.create_task(self._answer(scope, entry, body, noted))
        gone = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self._ledger.ended(entry, "cancelled")
            elif isinstance(work.exception(), Cut):
                self._ledger.ended(entry, "cut")
                scope["state"]["close"]()
                await gone
            else:
                self._ledger.ended(entry, "answered")
                work.result()
        finally:
            for task in (work, gone):
                task.cancel()
                with suppress(asyncio.CancelledError, Cut):
                    await task

    async def _answer(self, scope: Scope, entry: Entry, body: bytes, send: Send) -> None:
        options = self._options
        headers = asked(scope["headers"])
        retry_after = headers.get("x-simulated-retry-after", str(options.retry_after))
        try:
            chosen = _asked(headers["x-simulated-fault"]) if "x-simulated-fault" in headers else self._console.faults
            faults = befall(chosen, options.seed, entry.number)
            entry.faults = list(faults)
            await _interfere(faults)
            await self._message(headers, entry, body, send, faults)
        except ApiError as error:
            plain = Delivery(send, answered(entry.id, error.status, retry_after), {}, 0, entry.id)
            await plain.whole(error.status, JSON, error.body(entry.id))

    async def _message(
        self, headers: dict[str, str], entry: Entry, body: bytes, send: Send, faults: dict[str, Fault]
    ) -> None:
        options = self._options
        key = credential(headers)
        if len(body) > MAX_BODY:
            raise ApiError(413)
        version = headers.get("anthropic-version")
        if version is None:
            raise ApiError(400, "anthropic-version: header is required")
        if version not in VERSIONS:
            raise ApiError(400, "anthropic-version: is not a valid version")
        request = validate(body, version)
        pace = faults["slow"].number / 1000 if "slow" in faults else options.token_delay
        delivery = Delivery(send, answered(entry.id), faults, pace, entry.id)
        await asyncio.sleep(faults["first"].number / 1000 if "first" in faults else options.first_delay)
        kind = EVENTS if request.stream else JSON
        if "error_200" in faults:
            error = ApiError(529).body(entry.id)
            await delivery.whole(200, kind, events.event("error", error) if request.stream else error)
        elif "html" in faults:
            await delivery.whole(200, b"text/html; charset=utf-8", b"<!doctype html><title>Sign in</title>")
        elif "empty" in faults:
            await delivery.whole(200, kind, b"")
        else:
            answer = compose(request, options.seed, faults)
            # What others may read is written when the answer begins, as the real cache does it.
            charge = self._cache.charge(key, request)
            message_id = identifier("msg", options.seed, entry.number)
            if request.stream:
                await delivery.stream(message_id, request.name, answer, charge)
            else:
                message = events.message(message_id, request.name, answer, charge)
                await delivery.message(orjson.dumps(message), answer)


def _asked(words: str) -> tuple[Fault, ...]:
    try:
        return parse(words)
    except UnknownFault as error:
        raise ApiError(400, f"x-simulated-fault: {error}") from error


async def _interfere(faults: dict[str, Fault]) -> None:
    """Do what does not depend on the request."""
    if "stall" in faults:
        await silence()
    if "drop" in faults:
        raise Cut
    for status in STATUSES:
        if status in faults:
            raise ApiError(int(status))


async def _read(receive: Receive) -> bytes | None:
    """Give the body, or None if the client left; what is over the limit is read and not kept."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        if len(body) <= MAX_BODY:
            body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
