"""What holds for every test."""

from collections.abc import Iterator

import pytest

from tests.telemetry.receiver import exporter_threads

_PATIENCE_SECONDS = 10


@pytest.fixture(autouse=True)
def exporters_end() -> Iterator[None]:
    """No test leaves an exporter behind, whose news would be told during another's."""
    yield
    for thread in exporter_threads():
        thread.join(_PATIENCE_SECONDS)
    assert exporter_threads() == []
