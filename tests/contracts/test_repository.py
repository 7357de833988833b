"""What a newcomer relies on in the repository itself."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def committed_text() -> dict[str, str]:
    """Returns the text of every committed file by name."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: git clone the project")
    texts = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            texts[name] = path.read_bytes().decode(errors="replace")
    return texts


def test_make_lists_every_target() -> None:
    """`make` alone lists every target, each with what it does."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^ *make ([a-z-]+) +\S", listed, re.MULTILINE)) == targets


def test_every_target_is_phony() -> None:
    """A file named like a target does not stop the target."""
    text = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z-]+):", text, re.MULTILINE)
    assert sorted(re.findall(r"^\.PHONY: (\S+)", text, re.MULTILINE)) == sorted(targets)


def test_no_machine_path_is_committed() -> None:
    """No committed file names a home directory or a build machine's directory."""
    pattern = re.compile(r"(?<![\w.])/(?:root|home/\w+|work|tmp/\w+/)(?=/)")
    found = {
        f"{name}: {hit[0]}"
        for name, text in committed_text().items()
        if not name.startswith(("tests/", "service/static/")) and (hit := pattern.search(text))
    }
    assert found == set()


def test_every_dependency_says_why() -> None:
    """Each dependency in pyproject.toml has its reason beside it."""
    text = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    declared = [
        *project["dependencies"],
        *(item for extra in project["optional-dependencies"].values() for item in extra),
    ]
    explained = re.findall(r'^    "([^"]+)", +# \S', text, re.MULTILINE)
    assert [dependency for dependency in declared if dependency not in explained] == []


def test_drop_in_needs_nothing_of_the_service() -> None:
    """The base dependencies hold nothing that only the service needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.match(r"[\w-]+", item)[0].lower() for item in project["dependencies"]}
    assert names.isdisjoint(
        {"uvicorn", "uvloop", "httptools", "sqlalchemy", "alembic", "aiosqlite", "asyncpg", "pyjwt"}
    )
