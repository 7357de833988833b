"""The architecture's import rules."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_import_contracts_are_kept() -> None:
    """Every import-linter contract in pyproject.toml holds."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", ["telemetry", "service"])
def test_import_has_no_side_effect(package: str) -> None:
    """Importing a package starts no thread, opens no socket, prints nothing and reads no setting of ours."""
    program = f"""
import os, socket, sys, threading
read = []
class Watched(dict):
    def __getitem__(self, key): read.append(key); return super().__getitem__(key)
    def get(self, key, default=None): read.append(key); return super().get(key, default)
os.environ._data = Watched(os.environ._data)
def refuse(*_args, **_kwargs): raise AssertionError("a socket was opened")
socket.socket.connect = socket.socket.bind = refuse
import {package}
assert threading.active_count() == 1, threading.enumerate()
ours = {{b"JWT_SECRET", b"DATABASE_URL", b"PORT", b"ENVIRONMENT", b"OTEL_EXPORTER_OTLP_ENDPOINT", b"SENTRY_DSN"}}
assert not ours & set(read), ours & set(read)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
