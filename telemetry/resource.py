"""The resource: which service, version and instance the telemetry is of.

Written out instead of detected: detectors put the command line and the user's name into every export.
"""

from __future__ import annotations

import uuid
from functools import cache, cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource

from telemetry import names
from telemetry.pii import Item

if TYPE_CHECKING:
    from telemetry.pii import Scrubber
    from telemetry.settings import TelemetrySettings


@cache
def _instance_id() -> str:
    return str(uuid.uuid4())


class _HashedOnce(Resource):
    """A resource whose hash is kept: the exporters ask for it with every item, and it is one of a JSON dump."""

    @cached_property
    def _hash(self) -> int:
        return super().__hash__()

    def __hash__(self) -> int:
        return self._hash


def resource(settings: TelemetrySettings, scrubber: Scrubber) -> Resource:
    """Give the resource by the OpenTelemetry semantic conventions; explicit attributes win.

    Args:
        settings: the service, and attributes of the user's own.
        scrubber: the policy; what its allow-list does not name stays out.
    """
    attributes = {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": version("opentelemetry-sdk"),
        "service.name": settings.service_name,
        "service.version": settings.service_version,
        "service.instance.id": _instance_id(),
        "deployment.environment.name": settings.environment,
        **settings.resource_attributes,
        names.ATTR_PII_POLICY_DIGEST: scrubber.policy.digest,
    }
    allowed = {key: value for key, value in attributes.items() if key in scrubber.policy.resource_keys}
    return _HashedOnce(Item(scrubber).mapping(allowed, "resource"))
