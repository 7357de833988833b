"""The programs that `make stack-binaries` has built, for the tests that start them."""

from functools import cache
from pathlib import Path

import pytest

from stack.recipes import Refused, where


def binary(program: str) -> Path:
    """Returns the path of otelcol, prometheus, promtool, jaeger or loki; skips the test where it is not built."""
    found = _found(program)
    if isinstance(found, Refused):
        pytest.skip(str(found))
    return found


@cache
def _found(program: str) -> Path | Refused:
    try:
        return where(program)
    except Refused as refused:
        return refused
