"""The OpenTelemetry collector obeys the same policy: its processors are generated from it.

`python -m telemetry.collector render` writes the generated parts of `otel-collector.yaml`, `check` compares them.
"""
