"""Processes that decide about the same callers at the same time."""

from benchmarks.redis_interleaving import LIMIT, WINDOW, judged, measure


async def test_four_processes_admit_what_one_would(redis_server):
    """No hit is admitted or refused that the definition would not: the short form of `make bench-redis`."""
    secret = redis_server.new_secret().decode()
    found = await measure(redis_server.url, secret, processes=4, decisions=8000, concurrent=80)
    assert (found.decisions, found.over, found.wrongly) == (8000, 0, 0)
    assert 0 < found.admitted < 8000 - found.unanswered


def test_what_is_wrong_is_found():
    """One admission too many, one refusal too many, in the window and at its edge."""
    full = [(float(number), 1, 1) for number in range(LIMIT)]
    assert judged(full).over == 0
    assert judged([*full, (200.0, 1, 1)]).over == 1
    assert judged([*full, (200.0, 1, 0)]).wrongly == 0
    assert judged([*full, (200.0, 2, 0)]).wrongly == 1
    assert judged([*full, (200.0, 1, 2)]).unanswered == 1
    edge = float(WINDOW)
    assert judged([*full, (edge, 1, 1), (edge, 1, 0)]) == judged([*full, (edge, 1, 0), (edge, 1, 1)])
    assert (judged([*full, (edge, 1, 1)]).over, judged([*full, (edge, 1, 0)]).wrongly) == (0, 1)
    assert judged([*full, (edge, 1, 1), (edge, 1, 1)]).over == 1
