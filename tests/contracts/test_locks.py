"""The lock files."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-scrubbers.lock"]


def pins(lock: str) -> dict[str, set[str]]:
    """Returns the pinned versions of a lock file by package."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_no_address(lock: str) -> None:
    """A lock file names no package index, no URL and no directory, so that it works with anyone's mirror."""
    text = (ROOT / lock).read_text()
    assert re.findall(r"://|--(?:extra-)?index|--find-links|-e |file:", text) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str) -> None:
    """Every requirement of a lock file is pinned exactly and has at least one hash."""
    entries = re.split(r"\n(?=[a-z])", (ROOT / lock).read_text().split("\n", 2)[2])
    assert [entry for entry in entries if not re.match(r"[a-z0-9-]+==\S+[^\n]*\\\n    --hash=sha256:", entry)] == []


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_other_locks_repeat_runtime_lock(lock: str) -> None:
    """What is tested and measured is what runs: a version of the runtime lock is that of the other locks too."""
    others = pins(lock)
    missing = set() if lock == "requirements-dev.lock" else pins("requirements.lock").keys() - others.keys()
    assert {
        name: versions
        for name, versions in pins("requirements.lock").items()
        if name not in missing and others.get(name) != versions
    } == {}


def test_opentelemetry_is_one_matched_set() -> None:
    """All OpenTelemetry packages are of release 1.45.1 / 0.66b1: others refuse to be installed together."""
    versions = {
        version
        for name, found in pins("requirements.lock").items()
        if name.startswith("opentelemetry-")
        for version in found
    }
    assert versions == {"1.45.1", "0.66b1"}
