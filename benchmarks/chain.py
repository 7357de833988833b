"""Our own chain in front of the same app: telemetry around it, then gateway, rate limit and OWASP."""

from __future__ import annotations

import asyncio

from opentelemetry.sdk.trace.export import BatchSpanProcessor

from benchmarks.contrib import SCHEDULE_DELAY_MS, Discard
from benchmarks.peers import dsn
from benchmarks.subject import AUDIENCE, ISSUER, ROUTE, SECRET, Subject, bare_app
from service.access import Access
from service.auth import configured_verifier
from service.limits import SlidingWindow
from service.middleware import response_headers, stack
from service.settings import Settings
from telemetry import Telemetry, accounts, export, instrument, names

DRAIN_SECONDS = 120.0  # under callgrind everything takes fifty times as long


def build(sampling: float, otlp: str | None = None, sentry: str | None = None) -> Subject:
    """Builds the app within the chain, set up from an environment as the service is.

    Args:
        sampling: the share of traces that is sampled.
        otlp: base URL of the endpoint for spans and log records; None: nothing is exported.
        sentry: base URL of the endpoint for Sentry; None: no DSN.
    """
    environ = {
        "JWT_SECRET": SECRET,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_ISSUER": ISSUER,
        "LOG_FORMAT": "json",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": str(sampling),
        **({"OTEL_EXPORTER_OTLP_ENDPOINT": otlp} if otlp else {}),
        **({"SENTRY_DSN": dsn(sentry)} if sentry else {}),
    }
    # Under callgrind a second holds a few dozen requests; at speed a batch is full before its time is up.
    export.BATCHING["schedule_delay_millis"] = SCHEDULE_DELAY_MS
    # And a layer of 30 microseconds is no slow one because valgrind and its neighbours make it 5 ms.
    accounts.SLOW_LAYER_SECONDS = SCHEDULE_DELAY_MS / 1000
    settings = Settings.load(environ)
    app = bare_app()
    layers = stack(
        settings,
        access={("GET", ROUTE): Access("bearer", "default")},
        limiter=SlidingWindow(settings.rate_limits),
        verifier=configured_verifier(settings),
        metrics=lambda: telemetry.metrics,
    )
    telemetry = instrument(app, settings.telemetry, layers=layers, response_headers=response_headers(settings))
    if otlp is None:
        # What contrib alone does too: batched, then thrown away.
        telemetry.spans.observers.append(BatchSpanProcessor(Discard(), schedule_delay_millis=SCHEDULE_DELAY_MS))
    return Subject(app, drain=lambda: _drained(telemetry), lifespan=True)


async def _drained(telemetry: Telemetry) -> None:
    """Sends every batch, then waits until every line is written."""
    for pipeline in (telemetry.spans, telemetry.log_records):
        pipeline.stop()
        pipeline.start()
    # Of the whole registry the rest would cost more than the requests do: every rule of the policy is a sample.
    queues = telemetry.metrics.registry.restricted_registry([names.QUEUE_SIZE.name])
    async with asyncio.timeout(DRAIN_SECONDS):
        while any(sample.value for metric in queues.collect() for sample in metric.samples):  # noqa: ASYNC110 - a thread empties them
            await asyncio.sleep(0.05)
