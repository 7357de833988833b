"""A collector that cannot keep more: it says so, and recovers by itself; the service does not notice."""

import subprocess
from contextlib import contextmanager

import pytest

from tests.service.run.process import running
from tests.stack.backends import HEALTHY, REFUSING, Backends
from tests.stack.collector import Collector
from tests.stack.load import Load

SECONDS = 120.0
DISK = "4m"
SMALL = {
    "exporters": {name: {"sending_queue": {"queue_size": 65536}} for name in ("otlp_grpc/jaeger", "otlp_http/loki")}
}


@contextmanager
def small_disk(folder):
    """Mounts a file system of little memory; skips the test where that is not permitted."""
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be made here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def refuses_and_takes_again(collector, backends):
    """Send until it refuses, let the back ends take everything, send until it takes again; gives what was sent."""
    with Load(collector) as load:
        assert load.wait_for_refusals(SECONDS)
        assert {status for refusals in load.refusals.values() for status in refusals} == {503}
        backends.kind = HEALTHY
        assert load.wait_for(100, SECONDS)
    assert collector.status is None
    return load


def all_arrives(load, backends):
    """Whether everything that was acknowledged comes to the back ends."""
    return backends.wait(
        lambda: load.spans <= backends.spans.keys() and load.records <= backends.records.keys(), SECONDS
    )


def test_a_full_queue(tmp_path):
    """A full queue answers 503; once its back end takes again it is taken again, and what was acknowledged arrives."""
    with (
        Backends(REFUSING) as backends,
        Collector(tmp_path / "run", changes=SMALL, environment=backends.environment) as collector,
    ):
        assert all_arrives(refuses_and_takes_again(collector, backends), backends)


def test_a_full_disk(tmp_path):
    """A full disk answers 503; once it has been sent away it is taken again, and all that is acknowledged then arrives.

    What was acknowledged before may be lost: a queue that cannot write cannot note either what it has sent.
    """
    folder = tmp_path / "run"
    with (
        small_disk(folder / "queue"),
        Backends(REFUSING) as backends,
        Collector(folder, environment=backends.environment) as collector,
    ):
        refuses_and_takes_again(collector, backends)
        with Load(collector, first=1_000_000) as after:
            assert after.wait_for(100, SECONDS)
        assert all_arrives(after, backends)


async def test_the_service_does_not_notice(tmp_path):
    """Whether its collector takes, is full or was killed, the service answers every request, and stops in order."""
    with (
        Backends(HEALTHY) as backends,
        Collector(tmp_path / "run", changes=SMALL, environment=backends.environment) as collector,
    ):
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}
        async with running(tmp_path, "tests.service.run.slow_service", **settings) as service:

            async def answers():
                paths = ["/api/v1/jobs", "/readyz"] * 20
                return {(await service.exchange(service.request(path)))[:12] for path in paths}

            assert await answers() == {b"HTTP/1.1 200"}
            backends.kind = REFUSING
            with Load(collector) as load:
                assert load.wait_for_refusals(SECONDS)
                assert await answers() == {b"HTTP/1.1 200"}
            collector.kill()
            assert await answers() == {b"HTTP/1.1 200"}
            service.signal()
            assert await service.ended() == 0
