"""A collector that is measured: what it runs, what it is sent, and the CPU that it takes."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Self

import urllib3

from stack.recipes import where
from tests.stack.ports import Ports

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

# Nothing goes out of it: what the exporter costs would be in every figure.
_CONFIG = """\
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{http}"}}}}}}}}
exporters: {{debug: {{verbosity: basic}}}}
extensions: {{health_check: {{endpoint: "127.0.0.1:{health}"}}}}
service:
  extensions: [health_check]
  telemetry: {{logs: {{level: error}}, metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [{names}], exporters: [debug]}}}}
processors:
{processors}
"""
_START_SECONDS, _STOP_SECONDS, _SEND_SECONDS = 180.0, 15.0, 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Measured:
    """A running collector with some processors; a context manager that ends it behind.

    Args:
        folder: an empty one, for its configuration and what it says.
        names: of its processors, in order.
        processors: their configuration, as YAML.
    """

    def __init__(self, folder: Path, names: str, processors: str) -> None:
        self._folder, self._names, self._processors = folder, names, processors or "  {}"

    def __enter__(self) -> Self:
        self._folder.mkdir()
        ports = Ports("http", "health")
        config = self._folder / "config.yaml"
        config.write_text(
            _CONFIG.format(http=ports["http"], health=ports["health"], names=self._names, processors=self._processors)
        )
        self._ports = ports
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", ports["http"], retries=False, timeout=_SEND_SECONDS)
        started = time.perf_counter()
        with (self._folder / "said").open("wb") as said:
            self._process = subprocess.Popen(  # noqa: S603 - the collector that this project builds
                [where("otelcol"), f"--config={config}"], stdout=said, stderr=said
            )
        try:
            self._wait()
        except BaseException:
            self._end()
            raise
        self.started_seconds, self.started_cpu = time.perf_counter() - started, self.cpu
        self.started_mib = self._mib()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        with urllib3.HTTPConnectionPool("127.0.0.1", self._ports["health"], retries=False) as health:
            while self._process.poll() is None and time.monotonic() < deadline:
                try:
                    if health.request("GET", "/").status == 200:  # noqa: PLR2004 - it is up
                        return
                except urllib3.exceptions.HTTPError:
                    pass
                time.sleep(0.01)
        raise RuntimeError((self._folder / "said").read_text())

    def _end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._pool.close()
        self._ports.release()

    @property
    def cpu(self) -> float:
        """Seconds of CPU that it took so far, in user space and in the kernel."""
        fields = (self._proc("stat")).rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def _mib(self) -> int:
        return next(int(line.split()[1]) >> 10 for line in self._proc("status").splitlines() if "VmRSS" in line)

    def _proc(self, name: str) -> str:
        with open(f"/proc/{self._process.pid}/{name}", encoding="ascii") as file:  # noqa: PTH123 - not a real file
            return file.read()

    def took(self, request: bytes, times: int) -> float:
        """Send a request again and again, one after the other, and give the seconds of CPU of all of them.

        Args:
            request: an ExportTraceServiceRequest.
            times: how often.

        Raises:
            RuntimeError: one was refused.
        """
        before = self.cpu
        for _ in range(times):
            answer = self._pool.request(
                "POST", "/v1/traces", body=request, headers={"Content-Type": "application/x-protobuf"}
            )
            if answer.status != 200:  # noqa: PLR2004 - a refused request would be a cheap one
                raise RuntimeError(f"{self._names or 'no processor'}: {answer.status} {answer.data!r}")
        return self.cpu - before
