"""The real collector with the project's configuration: OTLP goes in over HTTP, and files tell what comes out."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import urllib3
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from telemetry import names
from tests.leaks.search import OTLP
from tests.patience import PATIENCE
from tests.stack.binaries import binary
from tests.stack.footprint import Footprint
from tests.stack.override import OUTPUTS, PORTS, override
from tests.stack.ports import Ports

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "otel-collector.yaml"
PROTOBUF = "application/x-protobuf"
# What Go keeps its memory below by collecting garbage sooner: four fifths of 512 MiB, as the README starts it.
MEMORY_LIMIT = {"GOMEMLIMIT": "410MiB"}
_START_SECONDS, _STOP_SECONDS, _SEND_SECONDS = 120.0, PATIENCE, 120.0
_LENGTH_BYTES = 4
_PAUSE = 0.05
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
_SIGNALS = {"spans": "metrics"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered."""

    status: int
    body: bytes


class Collector:
    """A running collector; a context manager that has it up inside, and ended behind.

    Args:
        folder: an empty or new one, for everything that it writes.
        config: its configuration; the generated second one comes behind it.
        rules: False: it scrubs nothing, so that a test sees what would leave.
        spans_every: how often the metrics that are made of spans are told; None: as configured.
        more: further configurations, read behind the first.
        changes: of the configuration, read last.
        environment: of the collector, besides `MEMORY_LIMIT`; with `JAEGER_OTLP` in it nothing goes to files, but as
            configured.
    """

    def __init__(
        self,
        folder: Path,
        config: Path = CONFIG,
        *,
        rules: bool = True,
        spans_every: str | None = None,
        more: Sequence[Path] = (),
        changes: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._program = binary("otelcol")
        self._folder, self._configs, self._last = folder, (config, *more), changes or {}
        self._environment = environment or {}
        self._changes = {"rules": rules, "spans_every": spans_every, "files": "JAEGER_OTLP" not in self._environment}
        self._read = dict.fromkeys(OUTPUTS.values(), 0)
        self._reading = threading.Lock()

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._ports = Ports(*PORTS)
        second, last = self._folder / "override.yaml", self._folder / "changes.yaml"
        # JSON is YAML.
        second.write_text(json.dumps(override(self._ports, self._folder, **self._changes), indent=1))
        last.write_text(json.dumps(self._last, indent=1))
        self._configs = (*self._configs, second, last)
        self._pool = urllib3.HTTPConnectionPool(
            "127.0.0.1", self._ports["http"], maxsize=8, retries=False, timeout=_SEND_SECONDS
        )
        self.start()
        return self

    def start(self) -> None:
        """Start it, at first or once more where it was, and wait until it is up."""
        with (self._folder / "stdout").open("ab") as stdout, (self._folder / "stderr").open("ab") as stderr:
            self._process = subprocess.Popen(
                [self._program, *(f"--config={config}" for config in self._configs)],
                cwd=self._folder,
                env={
                    "PATH": os.environ["PATH"],
                    "OTELCOL_QUEUE_DIR": str(self.queue),
                    **MEMORY_LIMIT,
                    **self._environment,
                },
                stdout=stdout,
                stderr=stderr,
            )
        try:
            self._wait_until_up()
        except BaseException:
            self._end()
            raise

    def kill(self) -> None:
        """End it as the kernel does when memory is short: at once, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        with urllib3.HTTPConnectionPool("127.0.0.1", self._ports["health"], retries=False) as health:
            while self._process.poll() is None and time.monotonic() < deadline:
                try:
                    if health.request("GET", "/").status == 200:
                        return
                except urllib3.exceptions.HTTPError:
                    pass
                # There is nothing to wait for before it listens.
                time.sleep(0.02)
        raise RuntimeError(f"the collector did not start (status {self._process.poll()}):\n{self.said}")

    def _end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._pool.close()
        self._ports.release()

    def send(self, kind: str, request: Message | bytes, *, compressed: bool = False) -> Answer:
        """Send a request over OTLP/HTTP.

        Args:
            kind: `traces`, `metrics` or `logs`.
            request: the message, or its bytes.
            compressed: with gzip.
        """
        body = request if isinstance(request, bytes) else request.SerializeToString()
        headers = {"Content-Type": PROTOBUF}
        if compressed:
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
        answer = self._pool.request("POST", f"/v1/{kind}", body=body, headers=headers)
        return Answer(answer.status, answer.data)

    def raw(self, output: str) -> bytes:
        """Give everything that came out so far, as it was written: `traces`, `metrics`, `logs` or `spans`."""
        written = self._folder / f"{output}.otlp"
        return written.read_bytes() if written.exists() else b""

    def skip(self, output: str) -> None:
        """Leave out of the next `exported` what came so far, since Python's protobuf may not read it."""
        with self._reading:
            self._new(output)

    def exported(self, output: str) -> list[Any]:
        """Give the messages that came out since the last call; what was answered before is there.

        Without what the collector says of each resource by itself.

        Args:
            output: `traces`, `metrics` and `logs`, or `spans` for the metrics that are made of spans.
        """
        kind = OTLP[f"/v1/{_SIGNALS.get(output, output)}"]
        with self._reading:
            messages = [kind.FromString(body) for body in self._new(output)]
        for message in messages:
            _without_stamps(message)
        return messages

    def raw_since(self, output: str) -> bytes:
        """Give what came out since the last call as it was written, whatever it is."""
        with self._reading:
            return b"".join(self._new(output))

    def arrives(self, *, wait: float) -> bool:
        """Send a span, again as long as it is asked to or so many seconds have passed, and say whether it came out."""
        # In letters: a long number would be scrubbed.
        name = "fresh " + str(time.monotonic_ns()).translate(_LETTERS)
        request = ExportTraceServiceRequest()
        request.resource_spans.add().scope_spans.add().spans.add(
            name=name, trace_id=bytes(15) + b"1", span_id=bytes(7) + b"1"
        )
        deadline = time.monotonic() + wait
        self.skip("traces")
        while not (taken := self._takes(request)) and not self.ended(_PAUSE) and time.monotonic() < deadline:
            pass
        return taken and name.encode() in self.raw_since("traces")

    def _takes(self, request: Message) -> bool:
        try:
            return self.send("traces", request).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def ended(self, wait: float) -> bool:
        """Say whether it ends within so many seconds."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(wait)
        return self._process.returncode is not None

    def _new(self, output: str) -> list[bytes]:
        written, bodies = self._folder / f"{output}.otlp", []
        if not written.exists():
            return []
        with written.open("rb") as file:
            file.seek(self._read[output])
            data = file.read()
        at = 0
        while at + _LENGTH_BYTES <= len(data):
            end = at + _LENGTH_BYTES + int.from_bytes(data[at : at + _LENGTH_BYTES], "big")
            # The last one may be on its way still.
            if end > len(data):
                break
            bodies.append(data[at + _LENGTH_BYTES : end])
            at = end
        self._read[output] += at
        return bodies

    @property
    def queue(self) -> Path:
        """Where it keeps what it has to send yet."""
        return self._folder / "queue"

    @property
    def endpoint(self) -> str:
        """Where it takes OTLP over HTTP."""
        return f"http://127.0.0.1:{self._ports['http']}"

    @property
    def grpc_address(self) -> str:
        """Where it takes OTLP over gRPC."""
        return f"127.0.0.1:{self._ports['grpc']}"

    @property
    def metrics_port(self) -> int:
        """Where it tells its own metrics."""
        return self._ports["metrics"]

    @property
    def said(self) -> str:
        """What it wrote of itself, on standard output and standard error."""
        return "".join((self._folder / name).read_text(errors="replace") for name in ("stdout", "stderr"))

    @property
    def status(self) -> int | None:
        """How it ended; None: it runs."""
        return self._process.poll()

    @property
    def resident_bytes(self) -> int:
        """How much memory it holds."""
        return self.footprint.resident_bytes

    @property
    def footprint(self) -> Footprint:
        """What it takes of the machine."""
        return Footprint(self._process.pid)

    def metrics(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """Give its own metrics: name and labels of each sample, and its value."""
        answer = urllib3.request("GET", f"http://127.0.0.1:{self.metrics_port}/metrics", retries=False)
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(answer.data.decode())
            for sample in family.samples
        }

    def metric(self, name: str, **labels: str) -> float:
        """Give the sum of a metric's samples that have these labels; 0: there are none."""
        wanted = set(labels.items())
        return sum(value for (found, having), value in self.metrics().items() if found == name and wanted <= having)


def _without_stamps(message: Any) -> None:
    for resource in getattr(message, message.DESCRIPTOR.fields[0].name):
        stamps = [pair for pair in resource.resource.attributes if pair.key == names.ATTR_PII_POLICY_DRIFT]
        for stamp in stamps:
            resource.resource.attributes.remove(stamp)
