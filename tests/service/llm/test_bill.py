"""What one attempt takes, by what is known of it."""

import pytest

from service.llm.bill import Taken
from service.llm.model import Usage

ESTIMATE = 1000


@pytest.mark.parametrize(
    ("usage", "reason", "paid", "estimated"),
    [
        (Usage(), "", ESTIMATE, True),
        (Usage(), "dropped", ESTIMATE, True),
        (Usage(), "overloaded", 0, True),
        (Usage(input_tokens=3), "", 3, False),
        (Usage(input_tokens=3, output_tokens=5), "dropped", 8, False),
        (Usage(cache_read_tokens=900), "dropped", 900, False),
        # A stream that began with zeros: what has come is added to what was sent.
        (Usage(output_tokens=15), "", ESTIMATE + 15, True),
        (Usage(output_tokens=15), "dropped", ESTIMATE + 15, True),
    ],
)
def test_what_is_paid(usage, reason, paid, estimated):
    """The input counts by estimate until somebody says it, whatever has come; what was refused unread is free."""
    told = []
    taken = Taken(ESTIMATE, told.append)
    assert told == [ESTIMATE]
    taken.so_far(usage, reason)
    assert (told[-1], taken.usage.total, taken.estimated) == (paid, paid, estimated)
