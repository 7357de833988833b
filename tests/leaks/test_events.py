"""Thousands of generated events through a sink; `python -m tests.leaks.events` is the long form."""

from tests.leaks.events import leaks


def test_no_event_leaks():
    """Nothing that was put into an event, by its form or by its key, is in what the sink gives."""
    found, counts = leaks(seed=41, count=1500)
    assert found == []
    assert counts.failures == 0
    assert counts.redactions > 1500


def test_the_same_seed_gives_the_same_events():
    """What leaked can be had again."""
    assert leaks(42, 200)[1] == leaks(42, 200)[1]
