"""One prompt's prefix in the cache: how long it stays there, when it is due, and whether warming it pays.

Writing a token costs `WRITE_SHARE` of the price of an input token, reading it the model's own price, and keeps it for
another TTL at no further cost. Source: Anthropic's documentation, "Prompt caching", "Pricing".
"""

import random
from collections import deque

from service.llm.model import Prompt, Usage
from service.llm.prices import WRITE_SHARE, Price
from service.llm.tokens import estimate

# What a warm-up costs beside its prefix, as input tokens: a word of input, and one token of output at five times the
# price.
EXTRA_TOKENS = 16
# Of the TTL; before it runs out with time for a second try, and not the same moment for every prompt and process.
EARLIEST, LATEST = 0.8, 0.9
# More calls than these change no decision.
_CALLS = 16
# In TTLs: how long a prefix that is not cached is left alone at most.
_LONGEST_REST = 12


def pays(calls: int, tokens: int, price: Price, *, warm: bool) -> bool:
    """Say whether a warm-up costs less than it saves, if the next TTL brings as many calls as the last one.

    Args:
        calls: real calls in the last TTL.
        tokens: of the prefix.
        price: the model's.
        warm: whether the prefix is still in the cache, so that the warm-up only reads it.
    """
    read, write = price.cache_read, WRITE_SHARE * price.input
    cost = tokens * (read if warm else write) + EXTRA_TOKENS * price.input
    return calls * tokens * (write - read) > cost


class Prefix:
    """The prefix of one prompt.

    Args:
        prompt: whose.
        price: of the model that caches it.
        ttl: seconds that the cache keeps a prefix after its last use.
        now: the clock's reading.
        due: whether it is to be warmed at once, whatever the traffic.

    Attributes:
        prompt: whose.
        due: the clock's reading at which warming it is considered; None: not before it is called.
        tried: the clock's reading when it was last warmed, or could not be.
    """

    def __init__(self, prompt: Prompt, price: Price, ttl: float, now: float, *, due: bool) -> None:
        self.prompt = prompt
        self.due = now if due else None
        self.tried = float("-inf")
        self._tokens = estimate(prompt.text)
        self._price = price
        self._ttl = ttl
        self._first_until = now + ttl if due else now
        self._begun = now
        self._refreshed: float | None = None
        self._calls: deque[float] = deque(maxlen=_CALLS)
        self._vain = 0

    def age(self, now: float) -> float:
        """Seconds since it was known to be in the cache; since the beginning, if it never was."""
        return max(now - (self._begun if self._refreshed is None else self._refreshed), 0.0)

    def called(self, began: float, usage: Usage) -> None:
        """Take note of a real call: it keeps the prefix in the cache as well as a warm-up.

        Args:
            began: the clock's reading at the call's beginning, when the provider reads and writes its cache.
            usage: what the call took.
        """
        self._calls.append(began)
        self.used(began, usage)

    def used(self, began: float, usage: Usage) -> bool:
        """Take note of a call's usage, and say whether the prefix is in the cache now.

        Args:
            began: the clock's reading at the call's beginning.
            usage: what the call took.
        """
        cached = usage.cache_read_tokens + usage.cache_write_tokens
        if cached:
            self._tokens = cached
            self._first_until = self._begun
            self._vain = 0
            self._refreshed = began if self._refreshed is None else max(began, self._refreshed)
            self.due = self._refreshed + self._ttl * random.uniform(EARLIEST, LATEST)  # noqa: S311 - guards nothing
        return bool(cached)

    def rest(self, now: float) -> None:
        """Leave alone what was answered and not cached, or refused: for a TTL, then twice as long each time."""
        self._first_until = self._begun
        self.due = now + self._ttl * min(2**self._vain, _LONGEST_REST)
        self._vain = min(self._vain + 1, _LONGEST_REST)

    def wanted(self, now: float) -> bool:
        """Say whether it is to be warmed now; what does not pay waits for the next call.

        Args:
            now: the clock's reading.
        """
        if self.due is None or now < self.due:
            return False
        # The first time is for the callers to come; if it fails it is tried again, but for no longer than a prefix
        # lives without them.
        if now < self._first_until:
            return True
        calls = sum(now - began < self._ttl for began in self._calls)
        warm = self._refreshed is not None and self.age(now) < self._ttl
        wanted = pays(calls, self._tokens, self._price, warm=warm)
        if not wanted:
            self.due = None
        return wanted
