"""What docs/security.md says is shown by tests that exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RISKS = [f"LLM{number:02}" for number in range(1, 11)]
_ROW = re.compile(r"^\| \*\*(LLM[0-9]{2})\*\* [A-Z].* \| .+ \| (.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")


def rows() -> dict[str, list[tuple[str, str]]]:
    """The tests that each row names: file and function."""
    text = (ROOT / "docs/security.md").read_text()
    return {risk: _TEST.findall(named) for risk, named in _ROW.findall(text)}


def functions(file: str) -> set[str]:
    """The test functions of a file; none where there is no file."""
    path = ROOT / file
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_risk_has_a_row_and_every_row_a_test() -> None:
    """LLM01 to LLM10 are there, in order, and each names a test."""
    assert [risk for risk, named in rows().items() if named] == RISKS


def test_every_named_test_exists() -> None:
    """Each test that a row names is a test of that file."""
    missing = [f"{file}::{test}" for named in rows().values() for file, test in named if test not in functions(file)]
    assert missing == []


def test_nothing_else_looks_like_a_test() -> None:
    """All that is written as a test in the document is one that was looked at."""
    text = (ROOT / "docs/security.md").read_text()
    assert text.count("::") == sum(map(len, rows().values()))
