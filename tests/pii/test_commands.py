"""`python -m telemetry.pii`: explain, scrub and check."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from telemetry.pii import Scrubber
from telemetry.pii.commands import execute
from telemetry.pii.commands.explain import _REASONS, explain

ROOT = Path(__file__).resolve().parents[2]
PEM = b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0\n-----END PRIVATE KEY-----\n"


def program(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Runs the program to its end, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "telemetry.pii", *arguments], cwd=ROOT, capture_output=True, check=False
    )


def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Runs the program's commands to their end, in this process."""
    sink, output, errors = io.BytesIO(), io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            status = execute(arguments, io.BytesIO(given), sink)
        except SystemExit as end:
            status = end.code
    written = sink.getvalue() + output.getvalue().encode()
    return subprocess.CompletedProcess(arguments, status, written, errors.getvalue().encode())


def test_explain_says_rule_place_reason_and_result() -> None:
    """`explain` gives a line for each hit, with its first and last character, and then what is left."""
    done = program("explain", "mail bob@example.com, card 4111 1111 1111 1111")
    assert (done.returncode, done.stderr) == (0, b"")
    email, card, left = done.stdout.decode().splitlines()
    assert email.split(maxsplit=2) == ["email", "6-20", "an e-mail address (RFC 5322)"]
    assert card.split(maxsplit=2)[:2] == ["credit_card", "28-46"]
    assert left == "mail [REDACTED:email], card [REDACTED:credit_card]"


def test_explain_counts_characters_of_the_given_text(scrubber: Scrubber) -> None:
    """Places are those of the text that was given, not of what earlier rules left, and characters, not bytes."""
    text = "é sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH-_AA ü bob@example.com"
    key, email, _ = explain(scrubber, text).splitlines()
    for line, found in (
        (key, "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH-_AA"),
        (email, "bob@example.com"),
    ):
        first, _, last = line.split()[1].partition("-")
        assert text[int(first) - 1 : int(last)] == found


def test_explain_walks_json(scrubber: Scrubber) -> None:
    """In a JSON object keys count, and a place is the path of a member."""
    text = '{"user": {"email": "x", "id": 7}, "log": ["to bob@example.com"], "db.query.text": "SELECT 1"}'
    *hits, left = explain(scrubber, text).splitlines()
    assert [hit.split()[:2] for hit in hits] == [
        ["personal_field", ".user.email"],
        ["email", ".log"],
        ["sql", ".db.query.text"],
    ]
    assert json.loads(left)["user"] == {"email": "[REDACTED:field]", "id": 7}


def test_explain_of_harmless_and_of_endless_text(scrubber: Scrubber) -> None:
    """It says so when no rule hits, and when a text is too long to be looked at."""
    assert explain(scrubber, "all is well") == "no rule hits\nall is well"
    assert explain(scrubber, "x" * 300_000).split() == [
        "unscrubbable", "1-300000", "too", "long,", "too", "deep,", "or", "not", "readable", "[REDACTED:unscrubbable]",
    ]  # fmt: skip


def test_every_rule_can_be_explained(scrubber: Scrubber) -> None:
    """Whatever may be reported as having hit has a reason."""
    known = {rule.name for rule in scrubber.compiled.data} | set(_REASONS)
    assert set(scrubber.rule_names) <= known


def test_scrub_keeps_structure_and_what_is_clean() -> None:
    """A clean line goes through byte by byte; in another the structure stays, and keys decide whatever the value is."""
    clean = b'{"b":1.10,  "a": ["x", null, true]}\r\n\n'
    given = clean + '{"password": {"a": [1]}, "msg": "von bob@example.com, Grüße", "n": 4111111111111111}'.encode()
    done = run("scrub", given=given)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(clean)
    assert json.loads(done.stdout[len(clean) :]) == {
        "password": "[REDACTED:field]",
        "msg": "von [REDACTED:email], Grüße",
        "n": "[REDACTED:credit_card]",
    }
    assert not done.stdout.endswith(b"\n")


def test_scrub_hides_nothing_behind_a_repeated_key() -> None:
    """Of two members of one name the last counts, and the first does not go through unseen."""
    done = run("scrub", given=b'{"password": "hunter2", "password": null}\n')
    assert (done.returncode, done.stdout) == (0, b'{"password": null}\n')


def test_scrub_treats_other_lines_as_text() -> None:
    """A line that is not JSON is scrubbed as text, which is said once, and the exit status is 1."""
    done = run("scrub", given=b"from bob@example.com\n{half\n" + b"[" * 100_000 + b"\n\xff 192.0.2.17\n")
    lines = done.stdout.splitlines()
    assert [lines[0], lines[1], lines[3]] == [b"from [REDACTED:email]", b"{half", b"\\xff [REDACTED:ip]"]
    assert done.returncode == 1
    assert done.stderr == b"telemetry.pii: line 1 is not JSON and was scrubbed as text; said once\n"


@pytest.mark.parametrize("options", [["scrub"], ["scrub", "--text"]])
def test_scrub_sees_a_key_of_many_lines(options: list[str]) -> None:
    """A private key in PEM is one secret, though its lines come one by one."""
    done = run(*options, given=PEM + b'{"after": 1}\n')
    assert done.stdout == b'[REDACTED:private_key]\n{"after": 1}\n'


def test_scrub_text_keeps_lines_and_their_ends() -> None:
    """With `--text` lines are plain text, and their ends stay."""
    done = run("scrub", "--text", given=b"\xef\xbb\xbfa bob@example.com\r\n\nb\n{half")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"a [REDACTED:email]\r\n\nb\n{half", b"")


def test_what_cannot_be_read_does_not_go_through() -> None:
    """Lines with a NUL (UTF-16, binary) and endless ones become a placeholder, and the rest goes on."""
    endless = b"bob@example.com " * 600_000
    done = run("scrub", "--text", given="bob@example.com\n".encode("utf-16") + b"\n" + endless + b"\nlast")
    assert done.stdout.splitlines()[-2:] == [b"[REDACTED:unscrubbable]", b"last"]
    assert b"e\0x\0a" not in done.stdout
    assert b"example" not in done.stdout
    assert done.returncode == 1
    assert done.stderr.startswith(b"telemetry.pii: line 1 could not be scrubbed, in full or in part; said once\n")


def test_empty_input_gives_empty_output() -> None:
    """Nothing in, nothing out."""
    done = run("scrub")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_reader_that_leaves_ends_it_quietly() -> None:
    """When whoever reads the output has seen enough, there is no traceback."""
    with subprocess.Popen(
        [sys.executable, "-m", "telemetry.pii", "scrub", "--text"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        running.stdin.write(b"first\n")
        running.stdin.flush()
        assert running.stdout.readline() == b"first\n"  # at once, not when the input ends
        running.stdout.close()
        running.stdin.write(b"second\n" * 10)
        running.stdin.close()
        assert running.stderr.read() == b""
        assert running.wait() == 1


def test_check_runs_the_examples() -> None:
    """`check` says how much was checked and the policy's digest."""
    done = run("check")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b" value rules, " in done.stdout
    assert done.stdout.splitlines()[-1].startswith(b"pii.policy.digest ")


def test_policy_option(tmp_path: Path) -> None:
    """`--policy` adds a file; a bad one is refused in one line on standard error, with status 1."""
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    rule = (
        '[[value_rules]]\nname = "staff"\nkind = "staff"\nreason = "r"\nmatch = ["EMP-[0-9]{6}"]\n'
        'examples = ["EMP-123456"]\ninnocent = ["EMP"]\n'
    )
    good.write_text(rule)
    bad.write_text(rule.replace("{6}", "{,6}"))
    done = run("explain", "EMP-123456 bob@example.com", "--policy", str(good))
    assert done.stdout.endswith(b"[REDACTED:staff] [REDACTED:email]\n")
    done = run("check", "--policy", str(bad))
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(f"telemetry.pii: {bad}:1: value rule 'staff': match: position ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("arguments", [[], ["explain"], ["purge"], ["check", "--polcy", "x"]])
def test_misuse_is_2(arguments: list[str]) -> None:
    """Wrong arguments are status 2, with the usage on standard error."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"usage: python -m telemetry.pii" in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["explain", "--help"], ["scrub", "--help"], ["check", "--help"]])
def test_help(arguments: list[str]) -> None:
    """Every command has help."""
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"usage: python -m telemetry.pii")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("scrub <&-", "standard input is closed"),
        ("check >&-", "standard output is closed"),
        ("scrub --text < /etc/hostname > /dev/full", "cannot go on: No space left on device"),
    ],
)
def test_streams_that_cannot_be_used_are_one_line(command: str, said: str) -> None:
    """A closed or full stream is one line and status 1."""
    line = f"'{sys.executable}' -m telemetry.pii {command}"
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"telemetry.pii: {said}\n")


def test_explain_needs_no_input() -> None:
    """A command that reads nothing does not ask for standard input."""
    line = f"'{sys.executable}' -m telemetry.pii explain x <&-"
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "no rule hits\nx\n")
