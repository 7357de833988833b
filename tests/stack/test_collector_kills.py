"""A short form of `python -m tests.stack.kills`, which kills the collector four times with each kind of back end."""

import pytest

from tests.stack.backends import KINDS, REFUSING
from tests.stack.kills import killed
from tests.stack.load import MARKERS

ITEMS = 500


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_acknowledged_outlives_a_kill(tmp_path, kind):
    """Killed under load and started again, the collector loses nothing acknowledged, and its disk holds nothing raw."""
    told = killed(tmp_path / "run", kind, kills=1, items=ITEMS)
    assert min(told.acknowledged) >= ITEMS
    assert told.lost == (0, 0)
    assert told.raw == ()
    assert told.scrubbed, "the queue was empty: nothing was looked at"


def test_what_is_raw_on_disk_is_found(tmp_path):
    """A collector without rules has on its disk what was sent, and the search finds all of it."""
    assert killed(tmp_path / "run", REFUSING, kills=1, items=ITEMS, rules=False).raw == MARKERS
