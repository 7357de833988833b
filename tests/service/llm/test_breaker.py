"""A provider that keeps failing is left alone, and for how long."""

from service.llm.breaker import FAILURES, Admitted, Breaker


def broken(now):
    """A breaker that has just opened, and what it told."""
    told = []
    breaker = Breaker(lambda: now[0], told.append, lambda: 1.0)
    for _ in range(FAILURES):
        breaker.failed(breaker.admit())
    return breaker, told


def test_failures_under_way_prolong_nothing():
    """Calls that were let before it opened fail after it: one incident is one rest."""
    now = [0.0]
    breaker, told = broken(now)
    for _ in range(40):
        breaker.failed(Admitted.USUAL)
    assert (breaker.rests_for(), told) == (5.0, [True])


def test_one_call_finds_out():
    """After its rest one call may try, whatever those that were under way do; its failure doubles the rest."""
    now = [0.0]
    breaker, _ = broken(now)
    assert breaker.admit() is None
    now[0] = 5.0
    assert breaker.admit() is Admitted.PROBE
    breaker.failed(Admitted.USUAL)
    breaker.abandoned(Admitted.USUAL)
    assert breaker.admit() is None
    breaker.failed(Admitted.PROBE)
    assert breaker.rests_for() == 10.0


def test_a_caller_who_leaves_lets_another_one_find_out():
    """A probe whose caller has left says nothing of the provider."""
    now = [0.0]
    breaker, told = broken(now)
    now[0] = 5.0
    assert breaker.admit() is Admitted.PROBE
    breaker.abandoned(Admitted.PROBE)
    assert breaker.admit() is Admitted.PROBE
    breaker.succeeded()
    assert (breaker.admit(), told) == (Admitted.USUAL, [True, False])
