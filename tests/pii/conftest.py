"""The policy that is tested: the project's own."""

import pytest

from telemetry.pii import Scrubber, load


@pytest.fixture(scope="session")
def scrubber() -> Scrubber:
    """Returns a scrubber without pseudonyms."""
    return load()
