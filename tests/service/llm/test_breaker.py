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


def test_no_provider_is_silent_for_long():
    """What it asks for prolongs its rest, up to a minute: it may be back long before."""
    for asked, rest in ((20.0, 20.0), (3600.0, 60.0)):
        breaker = Breaker(lambda: 0.0, lambda _: None, lambda: 1.0)
        for _ in range(FAILURES):
            breaker.failed(breaker.admit(), asked)
        assert breaker.rests_for() == rest


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
