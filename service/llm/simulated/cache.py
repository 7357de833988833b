"""Prompt caching by prefix: https://platform.claude.com/docs/en/build-with-claude/prompt-caching.

A prefix is everything up to a block with `cache_control`, in the order tools, system, messages; it belongs to an API
key and a model. What is read lives on for another TTL.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from service.llm.simulated.request import Block, Request, Ttl
from service.llm.simulated.tokens import tokens

HOUR = 3600.0
# Entries are a digest and two numbers: about 200 bytes each.
MAX_ENTRIES = 20_000
# From each breakpoint so many blocks are looked at, itself the first.
_LOOKBACK = 20


@dataclass(frozen=True, slots=True)
class Charge:
    """What the prompt of one request took, in tokens, each counted once."""

    uncached: int
    read: int
    written_5m: int
    written_1h: int

    def usage(self, output_tokens: int) -> dict[str, object]:
        """Give it in the API's words."""
        return {
            "input_tokens": self.uncached,
            "cache_creation_input_tokens": self.written_5m + self.written_1h,
            "cache_read_input_tokens": self.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.written_5m,
                "ephemeral_1h_input_tokens": self.written_1h,
            },
            "output_tokens": output_tokens,
            "service_tier": "standard",
        }


class PromptCache:
    """Prefixes that need not be read again.

    Args:
        ttl: what `5m` is, in seconds.
        clock: seconds; must never go backwards.
        max_entries: the least recently used goes when there are more.
    """

    def __init__(
        self, ttl: float, *, clock: Callable[[], float] = time.monotonic, max_entries: int = MAX_ENTRIES
    ) -> None:
        self._seconds: dict[Ttl, float] = {"5m": ttl, "1h": HOUR}
        self._clock = clock
        self._max_entries = max_entries
        self._entries: OrderedDict[bytes, tuple[float, Ttl]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def charge(self, owner: str, request: Request) -> Charge:
        """Read the longest prefix that is known, write the others, and say what that took."""
        total = tokens(request.size)
        breakpoints = [index for index, block in enumerate(request.blocks) if block.ttl]
        if not breakpoints:
            return Charge(total, 0, 0, 0)
        digests, sizes = _prefixes(owner, request.name, request.blocks)
        hit = self._longest(digests, breakpoints)
        read = at = tokens(sizes[hit]) if hit >= 0 else 0
        written: dict[Ttl, int] = {"5m": 0, "1h": 0}
        for index in breakpoints:
            ttl, length = request.blocks[index].ttl, tokens(sizes[index])
            if ttl is None or length < request.model.minimum_cacheable:
                continue
            if index > hit:
                written[ttl] += length - at
                at = length
                self._keep(digests[index], ttl)
            elif (kept := self._known(digests[index])) is not None:
                self._keep(digests[index], kept)
        return Charge(total - at, read, written["5m"], written["1h"])

    def _longest(self, digests: Sequence[bytes], breakpoints: Sequence[int]) -> int:
        for last in reversed(breakpoints):
            for index in range(last, max(last - _LOOKBACK, -1), -1):
                if (ttl := self._known(digests[index])) is not None:
                    self._keep(digests[index], ttl)
                    return index
        return -1

    def _known(self, digest: bytes) -> Ttl | None:
        entry = self._entries.get(digest)
        if entry is None:
            return None
        if entry[0] <= self._clock():
            del self._entries[digest]
            return None
        return entry[1]

    def _keep(self, digest: bytes, ttl: Ttl) -> None:
        self._entries[digest] = (self._clock() + self._seconds[ttl], ttl)
        self._entries.move_to_end(digest)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)


def _prefixes(owner: str, model: str, blocks: Sequence[Block]) -> tuple[list[bytes], list[int]]:
    prefix = blake2b(f"{owner}\0{model}".encode(), digest_size=16)
    digests, sizes, size = [], [], 0
    for block in blocks:
        prefix.update(f"\0{block.place}\0{len(block.content)}\0".encode() + block.content)
        size += block.size
        digests.append(prefix.digest())
        sizes.append(size)
    return digests, sizes
