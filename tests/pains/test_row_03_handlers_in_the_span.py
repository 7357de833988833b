"""Row 3: the exception handler runs outside the server span (opentelemetry-python#3477)."""

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from opentelemetry import trace

from telemetry import get_logger

log = get_logger(__name__)


class OutOfStock(Exception):
    """An error that the application knows."""


@pytest.fixture
def app():
    """An application with a handler for an error of its own, and one for everything else."""
    app = FastAPI()
    app.state.recording = []

    @app.exception_handler(OutOfStock)
    @app.exception_handler(Exception)
    async def handle(_request, error):
        app.state.recording.append(trace.get_current_span().is_recording())
        log.warning("test.handled", error=type(error).__name__)
        return JSONResponse({}, 409 if isinstance(error, OutOfStock) else 500)

    @app.get("/known")
    async def known() -> None:
        raise OutOfStock

    @app.get("/unknown")
    async def unknown() -> None:
        raise RuntimeError

    return app


@pytest.mark.parametrize(("path", "status"), [("/known", 409), ("/unknown", 500)])
async def test_row_03_an_exception_handler_runs_inside_the_server_span(small, app, path, status):
    """opentelemetry-python#3477: in a handler the server span is current, still records, and marks its lines."""
    async with small(app) as served:
        answer = await served.client.get(path)
    (span,) = served.recorder.server_spans()
    (line,) = served.recorder.events("test.handled")
    assert (answer.status_code, app.state.recording) == (status, [True])
    assert line["trace_id"] == f"{span.context.trace_id:032x}" == answer.headers["traceresponse"].split("-")[1]
    assert line["span_id"] == f"{span.context.span_id:016x}"
    assert span.attributes["http.response.status_code"] == status


async def test_row_03_an_unhandled_error_is_recorded_once_on_its_span(real):
    """The service's own 500: one exception event on the server span, one line with its trace id."""
    async with real() as served:
        answer = await served.client.get("/boom")
    (span,) = served.recorder.server_spans()
    (line,) = served.recorder.events("http.request.failed")
    assert answer.status_code == 500
    assert [event.name for event in span.events] == ["exception"]
    assert span.status.status_code is trace.StatusCode.ERROR
    assert line["trace_id"] == f"{span.context.trace_id:032x}"
