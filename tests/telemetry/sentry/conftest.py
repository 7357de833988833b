"""A Sentry client of one's own at a local endpoint, with the policy or with an empty one."""

import functools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from telemetry import TelemetrySettings
from telemetry.pii import Policy, Scrubber, Sink, read_policy
from telemetry.sentry import Sentry
from tests.patience import time_to_flush
from tests.sentry_endpoint import SentryEndpoint

KEY = b"0123456789abcdef"
NO_POLICY = Policy(value_rules=(), key_rules=(), resource_keys=frozenset(), digest="")


@functools.cache
def scrubber() -> Scrubber:
    """The policy that is shipped, compiled once for all tests."""
    return Scrubber(read_policy(), KEY)


@dataclass
class Counts:
    """A tally that keeps what it is told."""

    redactions: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def redacted(self, rule: str, sink: str) -> None:
        self.redactions[rule, sink] += 1

    def failed(self, sink: str) -> None:
        self.failures[sink] += 1


@dataclass
class Running:
    """A client that runs, where it sends to and what it counted."""

    sentry: Sentry
    endpoint: SentryEndpoint
    counts: Counts

    @property
    def client(self):
        return self.sentry._client

    def sent(self) -> bytes:
        """Everything that was sent, after the client has stopped."""
        self.sentry.stop()
        return b"\n".join(self.endpoint.bodies())


@contextmanager
def a_sentry(scrub: Scrubber, **settings: object) -> Iterator[Running]:
    """Run a client for the length of a `with`."""
    counts = Counts()
    with SentryEndpoint() as endpoint, time_to_flush():
        told = {"service_name": "test", "sentry_dsn": endpoint.dsn, **settings}
        sentry = Sentry(TelemetrySettings(**told), Sink("sentry", scrub, counts), lambda *_: None)
        sentry.start()
        try:
            with sentry.isolated():
                yield Running(sentry, endpoint, counts)
        finally:
            sentry.stop()


@pytest.fixture
def running() -> Iterator[Running]:
    """A client that obeys the policy."""
    with a_sentry(scrubber()) as one:
        yield one


@pytest.fixture
def unscrubbed() -> Iterator[Running]:
    """A client whose policy has no rule."""
    with a_sentry(Scrubber(NO_POLICY)) as one:
        yield one
