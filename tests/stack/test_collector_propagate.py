"""A statement that fails: nothing leaves unscrubbed, and the loss is the sender's to count."""

import asyncio

import pytest
from fastapi import FastAPI

from telemetry import names
from tests.patience import PATIENCE, until
from tests.stack.collector import Collector
from tests.telemetry.asgi import serving, watch

REQUESTS = 5
FAILING = {"context": "span", "statements": ["set(span.name, ParseJSON(span.name))"]}


@pytest.fixture
def collector(tmp_path):
    """A collector whose rules for spans fail on any name that is no JSON."""
    changes = {"processors": {"transform/pii": {"trace_statements": [FAILING]}}}
    with Collector(tmp_path / "run", changes=changes) as running:
        yield running


async def test_a_failing_statement_lets_nothing_out(collector):
    """No span leaves the collector; the SDK gives up within its deadline and counts every span as lost."""
    app = FastAPI()

    @app.get("/hello")
    async def hello() -> str:
        return "x"

    _, recorder = watch(app, otlp_endpoint=collector.endpoint)
    async with asyncio.timeout(PATIENCE):
        async with serving(app) as served:
            assert {(await served.get("/hello")).status for _ in range(REQUESTS)} == {200}
            await until(lambda: collector.raw("logs"))
    lost = {
        reason: recorder.metric("telemetry_dropped_items_total", signal="traces", reason=reason)
        for reason in names.DROP_REASONS
    }
    assert sum(lost.values()) == REQUESTS, lost
    assert lost["export_failed"] + lost["shutdown"] == REQUESTS, lost
    assert collector.raw("traces") == b""
    assert collector.metric("otelcol_receiver_refused_spans_total") >= REQUESTS
    # Log records have statements of their own, which do not fail.
    assert len(collector.exported("logs")) > 0
    assert recorder.metric("telemetry_dropped_items_total", signal="logs", reason="export_failed") == 0


async def test_the_rest_of_the_collector_goes_on(collector):
    """It is still healthy, and says in its log which statement failed, but nothing of the span."""
    app = FastAPI()

    @app.get("/carol.smith@example.com")
    async def hello() -> str:
        return "x"

    watch(app, otlp_endpoint=collector.endpoint)
    async with serving(app) as served:
        await served.get("/carol.smith@example.com")
    assert collector.status is None
    assert "ParseJSON" in collector.said
    assert "carol.smith" not in collector.said
