"""The resource: which service, version and instance the telemetry is of.

Written out instead of detected: detectors put the command line and the user's name into every export.
"""

from __future__ import annotations

import uuid
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telemetry.settings import TelemetrySettings


@cache
def _instance_id() -> str:
    return str(uuid.uuid4())


def resource_attributes(settings: TelemetrySettings) -> dict[str, str]:
    """Give the resource's attributes by the OpenTelemetry semantic conventions; explicit ones win."""
    return {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": version("opentelemetry-sdk"),
        "service.name": settings.service_name,
        "service.version": settings.service_version,
        "service.instance.id": _instance_id(),
        "deployment.environment.name": settings.environment,
        **settings.resource_attributes,
    }
