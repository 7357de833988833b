"""The simulated provider as a process of its own, for every test that needs one."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[4]
FAST = ("--token-delay", "0", "--first-token-delay", "0")


class Provider:
    """One that listens.

    Args:
        process: it.
        url: where.
    """

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = process
        self.url = url

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask what is no call of the model."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data, method=method)  # noqa: S310 - a URL of ours
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return json.load(answer)

    def reached(self, **counts: int) -> Any:
        """Its state once each count is as high as that; it waits for ten seconds at a time."""
        path = "/state?" + "&".join(f"{name}={least}" for name, least in counts.items())
        for _ in range(int(PATIENCE / 10)):
            state = self.ask("GET", path)
            if all(state[name] >= least for name, least in counts.items()):
                return state
        raise AssertionError(f"{counts} in vain: {state}")

    def last(self) -> dict[str, Any]:
        """What `GET /requests` says of the last request."""
        return self.ask("GET", "/requests")[-1]


@contextmanager
def provider(*options: str) -> Iterator[Provider]:
    """Start one, with no delays unless the options say otherwise; it ends with the context, or with the tests."""
    process = subprocess.Popen(
        [sys.executable, "-m", "service.llm.simulated", *FAST, *options, "--with-parent"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            line = process.stdout.readline().decode()
            assert line.startswith("listening on http://127.0.0.1:"), line + process.stderr.read().decode()
            yield Provider(process, line.removeprefix("listening on ").strip())
        finally:
            process.kill()
