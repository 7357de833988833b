"""One request, one clear story: traces, logs, metrics and errors of a FastAPI application, correlated."""

from telemetry import names
from telemetry.genai import CallFacts
from telemetry.instrument import instrument
from telemetry.lifecycle import Telemetry
from telemetry.logs import get_logger
from telemetry.middleware import Layer
from telemetry.pii import PolicyError
from telemetry.request import RequestRecord, current_request
from telemetry.settings import TelemetrySettings
from telemetry.tracing import SpanIds, current_ids

__all__ = [
    "CallFacts",
    "Layer",
    "PolicyError",
    "RequestRecord",
    "SpanIds",
    "Telemetry",
    "TelemetrySettings",
    "current_ids",
    "current_request",
    "get_logger",
    "instrument",
    "names",
]
