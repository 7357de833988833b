"""One request, one clear story: traces, logs, metrics and errors of a FastAPI application, correlated."""

from telemetry import names
from telemetry.instrument import instrument
from telemetry.lifecycle import Telemetry
from telemetry.logs import get_logger
from telemetry.middleware import Layer
from telemetry.request import RequestRecord, current_request
from telemetry.settings import TelemetrySettings

__all__ = [
    "Layer",
    "RequestRecord",
    "Telemetry",
    "TelemetrySettings",
    "current_request",
    "get_logger",
    "instrument",
    "names",
]
