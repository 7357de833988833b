"""What tests of the rendering share: the project's own policy, rendered once."""

import pytest

from telemetry.collector.rendering import blocks
from telemetry.pii import load
from tests.collector.statements import Group, groups


@pytest.fixture(scope="session")
def rendered() -> dict[str, str]:
    """Returns the generated parts by their names."""
    return blocks(load().compiled)


@pytest.fixture(scope="session")
def rendered_groups(rendered: dict[str, str]) -> list[Group]:
    """Returns the processor's groups of statements, as the collector reads them."""
    return groups(rendered["processor"])
