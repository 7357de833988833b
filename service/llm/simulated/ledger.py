"""What has come, and what became of it: for tests that prove what a provider is told."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from service.llm.simulated.heads import asked

Outcome = Literal["open", "answered", "cancelled", "cut"]
MAX_ENTRIES = 1000
MAX_KEPT_BYTES = 64 * 1024 * 1024
_CREDENTIALS = frozenset({"authorization", "x-api-key", "proxy-authorization", "cookie"})


@dataclass(slots=True)
class Entry:
    """One request.

    Attributes:
        number: the first is 1.
        id: what `request-id` said.
        headers: those of the request, without credentials.
        model: as it was asked for; None: it was no valid JSON, or had none.
        stream: likewise.
        has_user_id: whether there was a `metadata.user_id`.
        user_id: it.
        faults: what befell it.
        status: of the answer; 0: there is none.
        outcome: `answered`, `cancelled` by the client, `cut` by a fault, or still `open`.
        body: as it was sent; None: it is not kept.
    """

    number: int
    id: str
    headers: dict[str, str]
    model: Any = None
    stream: Any = None
    has_user_id: bool = False
    user_id: Any = None
    faults: list[str] = field(default_factory=list)
    status: int = 0
    outcome: Outcome = "open"
    body: str | None = None


class Ledger:
    """The last requests, and how many there were.

    Args:
        keep_bodies: whether bodies are kept, 64 MiB at most.
    """

    def __init__(self, *, keep_bodies: bool) -> None:
        self._keep_bodies = keep_bodies
        self._entries: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self._with_body: deque[tuple[Entry, int]] = deque()
        self._kept = 0
        self._counts = dict.fromkeys(("requests", "answered", "cancelled", "cut"), 0)
        self._waiting: list[tuple[str, int, asyncio.Future[None]]] = []

    @property
    def entries(self) -> list[Entry]:
        """The last ones, the oldest first."""
        return list(self._entries)

    @property
    def count(self) -> int:
        """How many have come."""
        return self._counts["requests"]

    @property
    def state(self) -> dict[str, int]:
        """Give how many have come, how they ended, and how many are open."""
        counts = self._counts
        return {**counts, "open": counts["requests"] - counts["answered"] - counts["cancelled"] - counts["cut"]}

    def arrived(self, request_id: str, headers: Iterable[tuple[bytes, bytes]]) -> Entry:
        """Take note of a request."""
        self._add("requests")
        shown = {name: value for name, value in asked(headers).items() if name not in _CREDENTIALS}
        entry = Entry(self._counts["requests"], request_id, shown)
        self._entries.append(entry)
        return entry

    def read(self, entry: Entry, body: bytes) -> None:
        """Take note of its body."""
        try:
            given = orjson.loads(body)
        except orjson.JSONDecodeError:
            given = None
        if isinstance(given, dict):
            metadata = given.get("metadata")
            entry.model, entry.stream = given.get("model"), given.get("stream", False)
            entry.has_user_id = isinstance(metadata, dict) and "user_id" in metadata
            entry.user_id = metadata["user_id"] if isinstance(metadata, dict) and entry.has_user_id else None
        if self._keep_bodies:
            entry.body = body.decode(errors="replace")
            self._with_body.append((entry, len(body)))
            self._kept += len(body)
            while self._kept > MAX_KEPT_BYTES or len(self._with_body) > MAX_ENTRIES:
                old, size = self._with_body.popleft()
                self._kept -= size
                old.body = None

    def ended(self, entry: Entry, outcome: Literal["answered", "cancelled", "cut"]) -> None:
        """Take note of what became of it."""
        entry.outcome = outcome
        self._add(outcome)

    async def reached(self, name: str, least: int) -> None:
        """Wait until so many were counted under a name of `state` other than `open`.

        Raises:
            KeyError: nothing is counted under that name.
        """
        if self._counts[name] < least:
            reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((name, least, reached))
            await reached

    def _add(self, name: str) -> None:
        self._counts[name] += 1
        for waiting in [each for each in self._waiting if each[0] == name and each[1] <= self._counts[name]]:
            self._waiting.remove(waiting)
            if not waiting[2].done():
                waiting[2].set_result(None)
