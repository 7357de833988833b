"""Tells Redis of hits that it may not know."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from struct import pack

from service.limits.redis.key_names import KeyNames
from service.limits.redis.link import Link, framed
from service.limits.redis.script import load

MOST_KEYS, MOST_HITS = 256, 2_000
"""Of one call: the server does nothing else meanwhile."""
_MICROSECONDS = 1e6

Hits = tuple[str, float, bytes, Sequence[float]]


class Restoring:
    """Tells of hits, any number of times.

    Args:
        link: to Redis.
        names: of keys.
        patience: seconds that one call may take; nobody waits for it.
    """

    def __init__(self, link: Link, names: KeyNames, *, patience: float) -> None:
        self._link = link
        self._script = load("restore")
        self._name = names.window
        self._patience = patience

    async def tell(self, hits: Iterable[Hits]) -> int:
        """Tell of hits, and say of how many keys there were any.

        Args:
            hits: policy, window (seconds), digest, and their times on the server's clock (seconds), ascending.

        Raises:
            Gone: there was no answer.
            TimeoutError: the same.
        """
        told = 0
        for part in _parts(hits):
            keys = [self._name(policy, digest) for policy, _, digest, _ in part]
            arguments = [
                framed(pack(f">{1 + len(times)}d", *(float(round(each * _MICROSECONDS)) for each in (window, *times))))
                for _, window, _, times in part
            ]
            async with asyncio.timeout(self._patience):
                await self._link.call(self._script, keys, arguments)
            told += len(keys)
        return told


def _parts(hits: Iterable[Hits]) -> Iterator[list[Hits]]:
    part: list[Hits] = []
    size = 0
    for each in hits:
        part.append(each)
        size += len(each[3])
        if len(part) >= MOST_KEYS or size >= MOST_HITS:
            yield part
            part, size = [], 0
    if part:
        yield part
