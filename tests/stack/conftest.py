"""What tests of the stack share: a copy of the recipes, and a collector for each module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import recipes
from tests.stack.builder import Builder
from tests.stack.collector import Collector


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    """The command on a copy of the recipes; this process's own `stack` sees the same copy."""
    made = Builder(tmp_path)
    monkeypatch.setattr(recipes, "STACK", made.stack)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A collector that obeys the privacy policy."""
    with Collector(tmp_path_factory.mktemp("collector") / "run") as running:
        yield running


@pytest.fixture(scope="module")
def bare_collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A collector that has no rules: what it tells is what a test can see."""
    with Collector(tmp_path_factory.mktemp("collector") / "bare", rules=False) as running:
        yield running
