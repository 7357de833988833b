"""The README's example, run from the built wheel on an app that is not ours."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DRIVER = Path(__file__).with_name("driver.py")


def example() -> str:
    """Returns the code block that follows the README's drop-in marker."""
    found = re.search(r"<!-- drop-in -->\s*```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found is not None, "README.md has no python block after <!-- drop-in -->"
    return found[1]


@pytest.fixture(scope="module")
def run(elsewhere: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What one request to the example's app led to: the driver's report, and the lines on stdout."""
    place = tmp_path_factory.mktemp("example")
    (place / "example.py").write_text(example())
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SENTRY_"))}
    done = subprocess.run(
        [elsewhere, "-I", "-W", "error", DRIVER, "example.py"],
        cwd=place,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr), [json.loads(line) for line in done.stdout.splitlines()]


def test_example_is_ten_lines() -> None:
    """The drop-in is ten lines of code at most."""
    assert len([line for line in example().splitlines() if line.strip()]) <= 10


def test_example_request_is_one_story(run: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    """One request gives one server span and one access event, and answer, span and event carry the same ids."""
    report, lines = run
    assert report["status"] == 200
    (span,) = [span for span in report["spans"] if span["kind"] == "SERVER"]
    (access,) = [line for line in lines if line["event"] == "http.request.completed"]
    assert report["headers"]["x-request-id"] == access["request_id"]
    assert re.fullmatch(r"req_[0-9a-f]{32}", access["request_id"])
    assert access["trace_id"] == span["trace_id"]
    assert access["span_id"] == span["span_id"]
    assert report["headers"]["traceresponse"].split("-")[1] == span["trace_id"]


def test_example_request_is_measured(run: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    """The request is counted under its route, with its trace id as the exemplar."""
    report, _ = run
    counted = [
        line
        for line in report["metrics"].splitlines()
        if line.startswith("http_server_request_duration_seconds_count") and f'"{report["path"]}"' in line
    ]
    assert [line.split("} ")[1].split(" ")[0] for line in counted if not line.endswith((" 0", " 0.0"))] == ["1.0"]
    assert report["spans"][0]["trace_id"] in report["metrics"]
