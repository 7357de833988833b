"""The accounting of the prompt cache, with a clock of its own."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.llm.simulated.cache import HOUR, PromptCache
from service.llm.simulated.validation import validate

# 1,024 tokens: just enough for the model.
ENOUGH = "word" * 1024
MORE = "more" * 100


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _block(text: str, ttl: str | None = None) -> dict[str, Any]:
    return {"type": "text", "text": text} | ({"cache_control": {"type": "ephemeral", "ttl": ttl}} if ttl else {})


def _asked(*system: dict[str, Any], content: Any = "hi there", **more: Any):
    body = {
        "model": "claude-sonnet-5",
        "max_tokens": 10,
        "system": list(system),
        "messages": [{"role": "user", "content": content}],
        **more,
    }
    return validate(json.dumps(body).encode(), "2023-06-01")


@pytest.fixture
def clock() -> Clock:
    """A clock that is moved by hand."""
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> PromptCache:
    """The usual cache."""
    return PromptCache(300.0, clock=clock)


def _counts(cache: PromptCache, request, owner: str = "k") -> tuple[int, int, int, int]:
    charge = cache.charge(owner, request)
    return charge.uncached, charge.read, charge.written_5m, charge.written_1h


def test_refresh(cache: PromptCache, clock: Clock):
    """A read keeps a prefix for another TTL; without one it is gone when its time is over."""
    request = _asked(_block(ENOUGH, "5m"))
    assert _counts(cache, request) == (2, 0, 1024, 0)
    for _ in range(3):
        clock.now += 299
        assert _counts(cache, request) == (2, 1024, 0, 0)
    clock.now += 300
    assert _counts(cache, request) == (2, 0, 1024, 0)


def test_hour(cache: PromptCache, clock: Clock):
    """An hour is an hour."""
    request = _asked(_block(ENOUGH, "1h"))
    assert _counts(cache, request) == (2, 0, 0, 1024)
    clock.now += HOUR - 1
    assert _counts(cache, request) == (2, 1024, 0, 0)


def test_owner_and_model(cache: PromptCache):
    """A prefix belongs to a key and a model."""
    request = _asked(_block(ENOUGH, "5m"))
    _counts(cache, request)
    assert _counts(cache, request, "other")[1] == 0
    assert _counts(cache, _asked(_block(ENOUGH, "5m"), model="claude-opus-5"))[1] == 0


def test_longest(cache: PromptCache):
    """The longest known prefix is read, and what is beyond it is written."""
    _counts(cache, _asked(_block(ENOUGH, "5m")))
    longer = _asked(_block(ENOUGH, "5m"), _block(MORE, "5m"))
    assert _counts(cache, longer) == (2, 1024, 100, 0)
    assert _counts(cache, longer) == (2, 1124, 0, 0)
    # The breakpoint itself need not be repeated where the prefix went on.
    assert _counts(cache, _asked(_block(ENOUGH), _block(MORE), _block(MORE, "5m"))) == (2, 1124, 100, 0)


def test_ttls(cache: PromptCache):
    """Each segment is counted under the TTL of the breakpoint behind it."""
    assert _counts(cache, _asked(_block(ENOUGH, "1h"), _block(MORE, "5m"))) == (2, 0, 100, 1024)


def test_order(cache: PromptCache):
    """Tools come before the system prompt: another tool is another prefix."""
    tool = {"name": "a", "input_schema": {"type": "object"}}
    _counts(cache, _asked(_block(ENOUGH, "5m"), tools=[tool]))
    assert _counts(cache, _asked(_block(ENOUGH, "5m"), tools=[tool | {"name": "b"}]))[1] == 0
    assert _counts(cache, _asked(_block(ENOUGH, "5m"), tools=[tool]))[1] > 1024


def test_what_follows(cache: PromptCache):
    """What stands behind the last breakpoint changes nothing before it."""
    _counts(cache, _asked(_block(ENOUGH, "5m")))
    assert _counts(cache, _asked(_block(ENOUGH, "5m"), content="something else"))[:2] == (4, 1024)


def test_automatic(cache: PromptCache):
    """One `cache_control` for the whole request stands behind the last block."""
    request = _asked(_block(ENOUGH), cache_control={"type": "ephemeral"})
    assert _counts(cache, request) == (0, 0, 1026, 0)
    assert _counts(cache, request) == (0, 1026, 0, 0)


def test_bound(clock: Clock):
    """The least recently used prefix goes when there are too many."""
    cache = PromptCache(300.0, clock=clock, max_entries=3)
    requests = [_asked(_block(f"{number}" + ENOUGH, "5m")) for number in range(4)]
    for request in requests:
        _counts(cache, request)
    assert len(cache) == 3
    assert _counts(cache, requests[0])[1] == 0
    assert _counts(cache, requests[3])[1] > 0


@given(
    st.lists(st.tuples(st.integers(1, 6000), st.sampled_from(["a", "é", "語"]), st.booleans()), min_size=1, max_size=4),
    st.integers(0, 3),
)
def test_every_token_once(parts: list[tuple[int, str, bool]], shorter: int):
    """Whatever is cached, the counts add up to the prompt, and what was written is read."""
    cache = PromptCache(300.0)
    blocks = [_block(letter * length, "5m" if cached else None) for length, letter, cached in parts]
    _counts(cache, _asked(*blocks[:shorter]))
    request = _asked(*blocks)
    total = -(-(sum(length * len(letter.encode()) for length, letter, _ in parts) + len("hi there")) // 4)
    first, again = _counts(cache, request), _counts(cache, request)
    assert sum(first) == sum(again) == total
    assert again == (first[0], first[1] + first[2], 0, 0)
