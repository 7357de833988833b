"""What a test changes of the collector's configuration: where it listens, keeps things and sends to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack.ports import Ports

# Pipelines that send out of the collector, each with the file its output goes to.
OUTPUTS = {"traces/out": "traces", "metrics/in": "metrics", "metrics/spans": "spans", "logs/in": "logs"}
PORTS = ("grpc", "http", "health", "metrics")
_LARGEST_MEGABYTES = 1_000_000


def override(
    ports: Ports, folder: Path, *, rules: bool = True, spans_every: str | None = None, files: bool = True
) -> dict[str, Any]:
    """Give a second configuration; its lists replace those of the first.

    Args:
        ports: of `PORTS`.
        folder: for the outputs and the queue.
        rules: False: the privacy policy's processor has no statements, and what comes in goes out.
        spans_every: how often the metrics that are made of spans are told; None: as configured.
        files: False: what leaves goes where the first configuration says.
    """
    exporters = {f"file/{name}": _file(folder / f"{name}.otlp") for name in OUTPUTS.values()}
    pipelines = {pipeline: {"exporters": [f"file/{name}"]} for pipeline, name in OUTPUTS.items()}
    changed: dict[str, Any] = {
        "receivers": {
            "otlp": {
                "protocols": {
                    "grpc": {"endpoint": f"127.0.0.1:{ports['grpc']}"},
                    "http": {"endpoint": f"127.0.0.1:{ports['http']}"},
                }
            }
        },
        "exporters": exporters,
        "extensions": {
            "health_check": {"endpoint": f"127.0.0.1:{ports['health']}"},
            "file_storage": {"directory": str(folder / "queue"), "create_directory": True},
        },
        "service": {
            "telemetry": {"metrics": {"readers": [{"pull": {"exporter": {"prometheus": _own_metrics(ports)}}}]}},
            "pipelines": pipelines,
        },
    }
    if not files:
        del changed["exporters"], changed["service"]["pipelines"]
    if spans_every is not None:
        changed["connectors"] = {"span_metrics": {"metrics_flush_interval": spans_every}}
    if not rules:
        changed["processors"] = {"transform/pii": {name: [] for name in _STATEMENTS}}
    return changed


_STATEMENTS = ("trace_statements", "metric_statements", "log_statements")


def _file(path: Path) -> dict[str, Any]:
    # A file that may be rotated is written without a buffer: once a request is answered, its output is there.
    return {"path": str(path), "format": "proto", "rotation": {"max_megabytes": _LARGEST_MEGABYTES}}


def _own_metrics(ports: Ports) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": ports["metrics"],
        "without_type_suffix": False,
        "without_units": False,
        "without_scope_info": True,
    }
