"""A short form of `python -m tests.stack.crowd`: eight requests of the largest size at once."""

import pytest

from tests.stack.crowd import AT_ONCE, MOST_MIB, crowded
from tests.stack.hostile_inputs import HEAVY, LIMIT


@pytest.mark.parametrize("title", ["one string", "a nesting bomb, 100 levels"])
def test_eight_at_once_are_survived(tmp_path, title):
    """Each is answered, taken or refused; the collector stays within its memory, and a fresh span arrives."""
    told = crowded(tmp_path / "run", HEAVY[title](LIMIT), wait=0)
    assert sum(told.answers.values()) == AT_ONCE
    assert told.answers.keys() <= {200, 503}
    assert told.peak <= MOST_MIB
    assert told.alive
