"""What the last exception of a process leaves behind."""

import json

from tests.telemetry.test_crashes import run


def test_last_exception_of_the_process_is_a_line() -> None:
    """The exception that ends the process is one line, and the exit status stays 1."""
    done = run("raise ValueError('end')")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["event"], line["thread"], line["level"]) for line in lines] == [
        ("process.crashed", "main", "critical")
    ]
    assert lines[0]["exception"][0]["exc_value"] == "end"
    assert "the-local" not in done.stdout
    assert (done.returncode, done.stderr) == (1, "")
