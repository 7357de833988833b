"""What tests and demos ask of the provider beside the API; only loopback may, health aside."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl

import orjson

from service.llm.simulated.cache import PromptCache
from service.llm.simulated.errors import ApiError
from service.llm.simulated.faults import Fault, UnknownFault, parse
from service.llm.simulated.ledger import Ledger

_LONGEST_WAIT = 10.0


class Console:
    """Answers what is no call of the model.

    Args:
        ledger: what has come.
        cache: of prompts.
        faults: those of the command line.

    Attributes:
        faults: what goes wrong with a request that does not say.
    """

    def __init__(self, ledger: Ledger, cache: PromptCache, faults: tuple[Fault, ...]) -> None:
        self._ledger = ledger
        self._cache = cache
        self.faults = faults

    async def answer(self, scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]]) -> bytes:
        """Give the JSON that answers a request.

        Raises:
            ApiError: there is no such thing, or it is not for this client.
        """
        route = (scope["method"], scope["path"])
        if route == ("GET", "/healthz"):
            return b'{"status":"ok"}'
        known = (("GET", "/requests"), ("GET", "/state"), ("PUT", "/faults"), ("DELETE", "/cache"))
        if route not in known:
            paths = {"/v1/messages", "/healthz", *(path for _, path in known)}
            raise ApiError(405 if scope["path"] in paths else 404)
        if not _is_loopback(scope):
            raise ApiError(403)
        if route[0] == "PUT":
            await self._put_faults(receive)
        elif route[0] == "DELETE":
            self._cache.clear()
        elif route[1] == "/requests":
            return orjson.dumps([asdict(entry) for entry in self._ledger.entries])
        else:
            await self._await_counts(scope["query_string"])
        return orjson.dumps({**self._ledger.state, "cache_entries": len(self._cache)})

    async def _put_faults(self, receive: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        try:
            self.faults = parse(orjson.loads(body)["fault"] or "")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, UnknownFault) as error:
            raise ApiError(400, 'fault: expected {"fault": WORD} or {"fault": null}') from error

    async def _await_counts(self, query: bytes) -> None:
        """Wait, ten seconds at most, until each count that the query names is as high as it says."""
        try:
            wanted = [(name, int(value)) for name, value in parse_qsl(query.decode("latin-1"))]
            with suppress(TimeoutError):
                async with asyncio.timeout(_LONGEST_WAIT):
                    for name, least in wanted:
                        await self._ledger.reached(name, least)
        except (ValueError, KeyError) as error:
            raise ApiError(400, "state: expected requests, answered, cancelled or cut, and a number") from error


def _is_loopback(scope: dict[str, Any]) -> bool:
    client = scope.get("client")
    return client is not None and ip_address(client[0]).is_loopback
