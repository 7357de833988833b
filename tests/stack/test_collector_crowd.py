"""A short form of `python -m tests.stack.crowd`: eight requests of the largest size at once."""

import pytest

from tests.stack.collector import MEMORY_LIMIT
from tests.stack.crowd import AT_ONCE, MOST_MIB, PLAIN, crowded
from tests.stack.hostile_inputs import HEAVY, LIMIT

NESTED = "a nesting bomb, 100 levels"


@pytest.mark.parametrize(
    ("title", "environment"),
    [("one string", PLAIN), (NESTED, PLAIN), (NESTED, MEMORY_LIMIT), ("attributes", MEMORY_LIMIT)],
)
def test_eight_at_once_are_survived(tmp_path, title, environment):
    """Each is answered, taken or refused; the collector stays within its memory, and a fresh span arrives.

    As the official image starts it, and with Go's memory limit, which what is decoded into many values needs.
    """
    told = crowded(tmp_path / "run", HEAVY[title](LIMIT), wait=0, environment=environment)
    assert sum(told.answers.values()) == AT_ONCE
    assert told.answers.keys() <= {200, 503}
    assert told.peak <= MOST_MIB
    assert told.alive
