"""The command line: what goes where, and with which status."""

import json
import os
import socket
import subprocess
import sys

import jwt
import pytest

from service import __main__ as program
from tests.patience import PATIENCE
from tests.service.run.process import ROOT, completed, environment, running


async def test_a_token_and_nothing_else(tmp_path):
    """`token` prints a token on standard output, signed with the secret that `run` uses."""
    env = environment(tmp_path)
    status, out, err = await completed("token", "--sub", "ada", "--role", "a", "--role", "b", "--ttl", "15m", env=env)
    made = f"service: a new secret was made in {str(tmp_path / 'data')!r}; "
    assert (status, err) == (0, f"{made}a service with another DATA_DIR refuses this token\n")
    assert (await completed("token", "--sub", "ada", env=env))[2] == ""
    secret = (tmp_path / "data" / "jwt-secret").read_bytes()
    claims = jwt.decode(out.strip(), secret, algorithms=["HS256"], audience="clearstory", issuer="clearstory")
    assert (claims["sub"], claims["roles"], claims["exp"] - claims["iat"]) == ("ada", ["a", "b"], 900)


async def test_the_token_opens_the_running_service(tmp_path):
    """`run` and `token` share `DATA_DIR`, from whatever directory each is started."""
    async with running(tmp_path) as service:
        env = environment(tmp_path)
        _, out, _ = await completed("token", "--sub", "ada", env=env, directory=tmp_path)
        service.token = out.strip().encode()
        answer = await service.exchange(service.request("/api/v1/jobs?limit=1"))
        assert answer.startswith(b"HTTP/1.1 200 ")


_STARTED = """
import gc, os
gc.disable()
from service import development
from service.commands import run
from service.listeners import bind
from service.settings import Settings
settings = development.complete(Settings.load(os.environ))
run._started(settings, bind(settings.host, 0))
print(gc.isenabled(), gc.get_freeze_count() > 100_000)
"""


def test_what_the_start_made_is_let_be(tmp_path):
    """Once started, garbage is collected again, but not among what is there already: that would be a stall."""
    command = [sys.executable, "-c", _STARTED]
    done = subprocess.run(command, env=environment(tmp_path), cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"


async def test_no_token_for_a_key_set(tmp_path):
    """With a JWKS only its owner can sign, and `token` says so."""
    env = environment(tmp_path, JWT_ALGORITHM="RS256", JWT_JWKS_URL="https://keys.example.com/")
    status, out, err = await completed("token", "--sub", "ada", env=env)
    assert (status, out) == (1, "")
    assert err == "service: JWT_JWKS_URL: expected none: tokens come from whoever publishes those keys\n"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("fly",),
        ("token",),
        ("token", "--sub", ""),
        ("token", "--sub", "a", "--ttl", "0"),
        ("token", "--sub", "a", "--ttl", "1y"),
        ("run", "--port", "1"),
    ],
)
async def test_misuse_is_status_2(tmp_path, arguments):
    """Wrong arguments are status 2, with the usage on standard error."""
    status, out, err = await completed(*arguments, env=environment(tmp_path))
    assert (status, out) == (2, "")
    assert err.startswith("usage: python -m service")


async def test_help(tmp_path):
    """`--help` is a result: standard output, status 0."""
    status, out, err = await completed("--help", env=environment(tmp_path))
    assert (status, err) == (0, "")
    assert all(command in out for command in ("run", "token", "openapi", "check"))


async def test_the_document_is_the_same_everywhere(tmp_path):
    """`openapi` prints the same bytes whatever the environment holds, and makes no file."""
    plain = await completed("openapi", env=environment(tmp_path))
    other = await completed("openapi", env=environment(tmp_path, ENVIRONMENT="production", PORT="x"))
    assert plain == other
    assert plain[0] == 0
    assert "/api/v1/jobs" in json.loads(plain[1])["paths"]
    assert list(tmp_path.iterdir()) == []


async def test_check_lists_the_decisions(tmp_path):
    """`check` names every route with who may call it, and starts nothing."""
    status, out, err = await completed("check", env=environment(tmp_path))
    assert (status, err) == (0, "")
    decisions = {tuple(line.split()) for line in out.splitlines()}
    assert ("GET", "/healthz", "public", "unlimited") in decisions
    assert ("GET", "/api/v1/jobs", "bearer", "default") in decisions
    assert ("GET", "/metrics", "address", "unlimited") in decisions
    assert list(tmp_path.iterdir()) == []


async def test_check_says_what_resembles_a_setting(tmp_path):
    """A name that may have been meant for one of ours is a line on standard error, and no failure."""
    status, _, err = await completed("check", env=environment(tmp_path, TRUSTED_PROXY="10.0.0.0/8"))
    assert (status, err) == (0, "service: TRUSTED_PROXY: not read; did you mean TRUSTED_PROXIES?\n")


@pytest.mark.parametrize("command", ["run", "check", "token"])
async def test_a_bad_setting_is_one_line(tmp_path, command):
    """A bad setting is status 1 and one line on standard error."""
    arguments = (command, "--sub", "a") if command == "token" else (command,)
    env = environment(tmp_path, TRUSTED_PROXIES="10.0.0.1/8")
    assert await completed(*arguments, env=env) == (
        1,
        "",
        "service: TRUSTED_PROXIES: host bits are set; did you mean 10.0.0.0/8?; got '10.0.0.1/8'\n",
    )


@pytest.mark.parametrize("command", ["run", "check"])
async def test_a_data_directory_that_cannot_be(tmp_path, command):
    """A `DATA_DIR` below a file is one line, for `check` too."""
    (tmp_path / "data").write_text("")
    status, out, err = await completed(command, env=environment(tmp_path))
    assert (status, out) == (1, "")
    assert err.startswith("service: DATA_DIR: expected a directory")
    assert err.count("\n") == 1


async def test_a_database_that_cannot_be_opened(tmp_path):
    """A database that refuses is one line on standard error, without its password."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql+asyncpg://u:hunter2@127.0.0.1:{taken.getsockname()[1]}/d"
        status, out, err = await completed("run", env=environment(tmp_path, DATABASE_URL=url))
    assert status == 1
    assert err.startswith("service: DATABASE_URL: the database cannot be opened")
    assert err.count("\n") == 1
    assert "hunter2" not in out + err
    assert "Traceback" not in out + err


async def test_a_broken_database_file(tmp_path):
    """A database file that is none is one line that names it, whether or not anybody chose the file."""
    file = tmp_path / "data" / "clearstory.db"
    file.parent.mkdir()
    file.write_text("no database" * 1000)
    status, out, err = await completed("run", env=environment(tmp_path))
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith(f"service: '{file}': the database cannot be opened")
    assert "Traceback" not in out + err


async def test_check_needs_no_free_port(tmp_path):
    """`check` may be asked while the service runs."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert (await completed("check", env=environment(tmp_path, PORT=port)))[0] == 0


async def test_a_taken_port(tmp_path):
    """A port in use is one line and status 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, out, err = await completed("run", env=environment(tmp_path, PORT=port))
    assert (status, out) == (1, "")
    assert err == f"service: cannot listen on 127.0.0.1:{port}: Address already in use; HOST and PORT move it\n"


@pytest.mark.parametrize("command", ["run", "check"])
async def test_an_unknown_host(tmp_path, command):
    """A host that has no address is one line and status 1, for `check` too."""
    status, _, err = await completed(command, env=environment(tmp_path, HOST="nowhere.invalid", PORT="1234"))
    place = "nowhere.invalid:1234" if command == "run" else "nowhere.invalid"  # `check` binds any port
    assert (status, err) == (1, f"service: cannot listen on {place}: unknown host; HOST and PORT move it\n")


def test_a_missing_dependency_is_named(tmp_path):
    """Without the installed packages one line says how to get them."""
    run = subprocess.run(
        [sys.executable, "-S", "-m", "service", "run"],
        cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("service: No module named '")
    assert run.stderr.endswith(": use `make run`, or pip install -r requirements.lock\n")
    assert run.stderr.count("\n") == 1


def test_another_python_is_told(monkeypatch, capsys):
    """Outside 3.11 to 3.14 one line says what is needed, before anything else is imported."""
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    assert program.main(["run"]) == 1
    assert capsys.readouterr().err == "service: Python 3.11 to 3.14 is needed, this is 3.10\n"


def test_a_reader_that_leaves(tmp_path):
    """A closed pipe ends a command quietly."""
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [sys.executable, "-m", "service", "openapi"],
        cwd=ROOT, env=environment(tmp_path), stdout=writer, stderr=subprocess.PIPE, check=False, timeout=PATIENCE,
    )  # fmt: skip
    os.close(writer)
    assert (run.returncode, run.stderr) == (1, b"")


def redirected(directory, command, how):
    """Run a command with its streams redirected by a shell: status, standard output, standard error."""
    run = subprocess.run(
        ["sh", "-c", f'exec "$0" -m service {command} {how}', sys.executable],
        cwd=ROOT, env=environment(directory), capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    return run.returncode, run.stdout, run.stderr


@pytest.mark.parametrize("command", ["run", "token --sub ada", "openapi", "check"])
def test_a_closed_stream(tmp_path, command):
    """With standard output or standard error closed, the other one says so in one line."""
    assert redirected(tmp_path, command, ">&-") == (1, "", "service: standard output is closed\n")
    assert redirected(tmp_path, command, "2>&-") == (1, "service: standard error is closed\n", "")
    assert redirected(tmp_path, command, ">&- 2>&-") == (1, "", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")  # noqa: PTH110
@pytest.mark.parametrize("command", ["token --sub ada", "openapi", "check", "--help"])
def test_a_full_output(tmp_path, command):
    """A result that cannot be written is one line and status 1."""
    said = "service: standard output: No space left on device\n"
    assert redirected(tmp_path, command, ">/dev/full") == (1, "", said)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")  # noqa: PTH110
def test_a_full_standard_error(tmp_path):
    """What cannot be said changes neither a result nor a status."""
    assert redirected(tmp_path, "fly", "2>/dev/full") == (2, "", "")
    status, out, _ = redirected(tmp_path, "token --sub ada", "2>/dev/full")
    assert (status, out.count(".")) == (0, 2)
