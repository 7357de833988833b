"""What holds for every test."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.patience import PATIENCE, take_time
from tests.service.redis_server import RedisServer
from tests.telemetry.receiver import exporter_threads

# An example takes as long as it takes, and so does making one up.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def time_to_spare() -> None:
    """Nobody waits in vain while the machine stands still; tests of a deadline set it themselves."""
    take_time()


@pytest.fixture(autouse=True)
def exporters_end() -> Iterator[None]:
    """No test leaves an exporter behind, whose news would be told during another's."""
    yield
    for thread in exporter_threads():
        thread.join(PATIENCE)
    assert exporter_threads() == []


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis of the tests' own; whoever kills it, or counts what it was asked, has another one."""
    with _redis_server() as server:
        yield server


@pytest.fixture
def mortal_redis() -> Iterator[RedisServer]:
    """A Redis of the test's own."""
    with _redis_server() as server:
        yield server


def _redis_server() -> RedisServer:
    if not RedisServer.installed():
        pytest.skip("no Redis server on this machine; `apt-get install redis-server` brings one")
    return RedisServer()
