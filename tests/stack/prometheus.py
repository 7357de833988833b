"""The real Prometheus, which scrapes what a test tells it to and evaluates the project's rules."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import urllib3

from tests.patience import PATIENCE
from tests.stack.binaries import binary
from tests.stack.ports import Ports

_SECONDS, _STOP_SECONDS, _PAUSE = PATIENCE, PATIENCE, 0.05


class Prometheus:
    """A context manager that has it up inside, and ended behind.

    Args:
        folder: a new one, for everything that it writes.
        targets: ports that it scrapes every second.
        rules: a file of them, evaluated as often.
    """

    def __init__(self, folder: Path, targets: Sequence[int], rules: Path) -> None:
        self._program = binary("prometheus")
        self._folder, self._first, self._rules = folder, targets, rules

    def __enter__(self) -> Self:
        self._folder.mkdir()
        self._targets, config = self._folder / "targets.json", self._folder / "prometheus.yaml"
        self.scrape(self._first)
        job = {"job_name": "all", "file_sd_configs": [{"files": [str(self._targets)], "refresh_interval": "1s"}]}
        often = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        # JSON is YAML.
        config.write_text(json.dumps({"global": often, "rule_files": [str(self._rules)], "scrape_configs": [job]}))
        self._ports = Ports("web")
        self._url = f"http://127.0.0.1:{self._ports['web']}"
        options = (f"config.file={config}", f"storage.tsdb.path={self._folder}", f"web.listen-address={self._url[7:]}")
        with (self._folder / "said").open("wb") as said:
            self._process = subprocess.Popen(
                [self._program, *(f"--{option}" for option in options)], stdout=said, stderr=said
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._ports.release()

    def scrape(self, targets: Sequence[int]) -> None:
        """Have it scrape these ports from now on."""
        new = self._targets.with_suffix(".new")
        new.write_text(json.dumps([{"targets": [f"127.0.0.1:{port}" for port in targets]}]))
        new.replace(self._targets)

    def wait_for(self, expression: str) -> list[float]:
        """Give the values of an expression as soon as it has some.

        Raises:
            TimeoutError: it had none for a long time.
        """
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            try:
                if found := self._asked("query", query=expression)["result"]:
                    return [float(each["value"][1]) for each in found]
            except urllib3.exceptions.HTTPError:
                if self._process.poll() is not None:
                    break
            # It scrapes every second, and tells nobody.
            time.sleep(_PAUSE)
        raise TimeoutError(f"{expression}: {(self._folder / 'said').read_text()}")

    def alerts(self) -> list[dict[str, Any]]:
        """Give the alerts that are pending or firing."""
        return self._asked("alerts")["alerts"]

    def _asked(self, what: str, **fields: str) -> Any:
        answer = urllib3.request("GET", f"{self._url}/api/v1/{what}", fields=fields, retries=False)
        # While it reads its own log it says 503 in plain text.
        told = {} if answer.status == HTTPStatus.SERVICE_UNAVAILABLE else answer.json()
        return told.get("data", {"result": []})
