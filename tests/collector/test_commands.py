"""`python -m telemetry.collector`: render and check."""

import contextlib
import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from telemetry.collector.__main__ import main
from telemetry.collector.document import with_blocks

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "otel-collector.yaml"
RULE = (
    '[[value_rules]]\nname = "staff"\nkind = "staff"\nreason = "r"\nmatch = ["EMP-[0-9]{6}"]\n'
    'examples = ["EMP-123456"]\ninnocent = ["EMP"]\n'
)
BEGIN, END = "  # generated processor (how)\n", "  # end of generated processor\n"


def program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Runs the program to its end, in a process of its own."""
    command = [sys.executable, "-W", "error", "-m", "telemetry.collector", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, check=False)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs the program's commands to their end, in this process."""
    output, errors = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
    return subprocess.CompletedProcess(arguments, status, output.buffer.getvalue().decode(), errors.getvalue())


@pytest.fixture(scope="session")
def current(rendered: dict[str, str]) -> str:
    """Returns the text of the configuration with what the policy says."""
    return with_blocks(CONFIGURATION.read_text(encoding="utf-8"), rendered)


@pytest.fixture
def file(tmp_path: Path, current: str) -> Path:
    """Returns a configuration of the test's own, which is current."""
    path = tmp_path / "collector.yaml"
    path.write_text(current, encoding="utf-8")
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Returns a policy file with a rule that the project's policy does not have."""
    path = tmp_path / "own rules.toml"
    path.write_text(RULE)
    return path


def test_render_prints_the_configuration(current: str) -> None:
    """`render` prints the whole file with what the policy says, in any process the same, and changes nothing."""
    before = CONFIGURATION.read_bytes()
    done = program("render", PYTHONHASHSEED="4711", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == current
    assert CONFIGURATION.read_bytes() == before


def test_check_of_a_current_file(file: Path) -> None:
    """A file that is what the policy says is status 0, with a line that names it."""
    done = run("check", "--file", file)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{file}: current\n", "")


def test_rule_more_is_said_written_and_current(file: Path, own: Path, current: str) -> None:
    """After a rule was added `check` is 1 with the file and the command to run, and 0 once that was run."""
    done = run("check", "--file", file, "--policy", own)
    command = f"python -m telemetry.collector render --write --file {file} --policy '{own}'"
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"telemetry.collector: {file} is not what the policy says: {command}\n"
    assert file.read_text(encoding="utf-8") == current
    done = run("render", "--write", "--file", file, "--policy", own)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "[REDACTED:staff]" in file.read_text(encoding="utf-8")
    assert run("check", "--file", file, "--policy", own).returncode == 0
    assert run("check", "--file", file).returncode == 1


def test_change_by_hand_within_the_marks_is_found(file: Path, current: str) -> None:
    """What is changed between the marks is not what the policy says; `render --write` takes it back."""
    file.write_text(
        current.replace("pii:\n    error_mode: propagate", "pii:\n    error_mode: ignore"), encoding="utf-8"
    )
    assert file.read_text(encoding="utf-8") != current
    assert run("check", "--file", file).returncode == 1
    assert run("render", "--write", "--file", file).returncode == 0
    assert file.read_text(encoding="utf-8") == current


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """Returns the one line that a refused command says."""
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("telemetry.collector: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("telemetry.collector: ").removesuffix("\n")


@pytest.mark.parametrize("command", [["check"], ["render"], ["render", "--write"]])
def test_file_that_cannot_be_read(tmp_path: Path, command: list[str]) -> None:
    """A file that is not there, is none or is not UTF-8 is said by its name."""
    assert (
        refusal(run(*command, "--file", tmp_path / "none.yaml")) == f"{tmp_path}/none.yaml: No such file or directory"
    )
    assert refusal(run(*command, "--file", tmp_path)) == f"{tmp_path}: Is a directory"
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("# é".encode("latin-1"))
    assert refusal(run(*command, "--file", latin)) == f"{latin}: it is not UTF-8"
    assert latin.read_bytes() == "# é".encode("latin-1")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it wants one part between `# generated digest (…` and `# end of generated digest`"),
        (f"# generated digest (how)\n# end of generated digest\n{BEGIN}{END}{BEGIN}{END}",
         "it wants one part between `# generated processor (…` and `# end of generated processor`"),
        (f"# generated digest (how)\n{BEGIN}{END}",
         "it wants one part between `# generated digest (…` and `# end of generated digest`"),
        ("# generated metrics (how)\n# end of generated metrics\n# generated digest (how)\n# end of generated digest\n",
         "nothing is generated for the part 'metrics'"),
    ],
)  # fmt: skip
def test_wrong_marks_are_one_line(
    file: Path, monkeypatch: pytest.MonkeyPatch, rendered: dict[str, str], content: str, said: str
) -> None:
    """Marks that are missing, doubled or unknown are said with the file, which stays as it is."""
    monkeypatch.setattr("telemetry.collector.__main__.blocks", lambda compiled: rendered)
    file.write_text(content, encoding="utf-8")
    for command in (["check"], ["render", "--write"]):
        assert refusal(run(*command, "--file", file)).startswith(f"{file}: {said.partition(' (')[0]}")
    assert file.read_text(encoding="utf-8") == content


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (RULE.replace("{6}", "{,6}"), "value rule 'staff': match: position "),
        (RULE.replace("[0-9]{6}", "[0-9]+$"), "value rule 'staff': match: position "),
        (RULE.replace('kind = "staff"', 'kind = "st$1ff"'), "value rule 'staff': kind is of lower-case letters"),
        (RULE.replace("EMP-123456", "EMP-12345"), "value rule 'staff': examples 1 ('EMP-12345'): it is not changed"),
        (RULE.replace('["EMP"]', '["EMP-123456"]'), "value rule 'staff': innocent 1 ('EMP-123456'): it becomes "),
        (RULE + 'necessary = ["EMP_"]\n', "value rule 'staff': examples 1 ('EMP-123456'): it is hit without what is "),
        (RULE + 'necessary = ["EMP.*"]\n', "value rule 'staff': necessary 1: position 4 "),
        (RULE + "[", ""),
    ],
)
@pytest.mark.parametrize("command", [["check"], ["render", "--write"]])
def test_wrong_policy_is_one_line(
    file: Path, own: Path, current: str, command: list[str], wrong: str, said: str
) -> None:
    """A policy that is refused is said in one line with its file and rule, and nothing is written."""
    own.write_text(wrong)
    line = refusal(run(*command, "--file", file, "--policy", own))
    assert line.startswith(f"{own}:")
    assert said in line
    assert file.read_text(encoding="utf-8") == current


def test_missing_policy_is_one_line(file: Path, tmp_path: Path) -> None:
    """A policy file that is not there is named."""
    line = refusal(run("check", "--file", file, "--policy", tmp_path / "none.toml"))
    assert line == f"{tmp_path}/none.toml: No such file or directory"


@pytest.mark.parametrize("arguments", [[], ["purge"], ["render", "x"], ["check", "--write"], ["check", "--fiel", "x"]])
def test_misuse_is_2(arguments: list[str]) -> None:
    """Wrong arguments are status 2, with the usage on standard error."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: python -m telemetry.collector" in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["render", "--help"], ["check", "--help"]])
def test_help(arguments: list[str]) -> None:
    """Every command has help."""
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: python -m telemetry.collector")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("check >&-", "standard output is closed"),
        ("render > /dev/full", "cannot go on: No space left on device"),
        ("--help > /dev/full", "cannot go on: No space left on device"),
    ],
)
def test_streams_that_cannot_be_used_are_one_line(command: str, said: str) -> None:
    """A closed or full stream is one line and status 1."""
    line = f"env -u PYTHONUNBUFFERED '{sys.executable}' -m telemetry.collector {command}"
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"telemetry.collector: {said}\n")


def test_file_that_cannot_be_written_is_one_line(file: Path, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What keeps `render --write` from writing is said with the file."""

    def full(*given: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    line = refusal(run("render", "--write", "--file", file, "--policy", own))
    assert line == f"{file}: No space left on device"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_reader_that_leaves_ends_it_quietly(unbuffered: str) -> None:
    """When whoever reads the output has seen enough, there is no traceback."""
    with subprocess.Popen(
        [sys.executable, "-m", "telemetry.collector", "render"],
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout.readline().startswith(b"# The OpenTelemetry collector")
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 1
