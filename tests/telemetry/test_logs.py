"""The log chain: shape, ids, foreign records, and what JSON cannot hold."""

import asyncio
import json
import logging
import re
import sqlite3
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import StreamingResponse

import telemetry.logs
from telemetry import Telemetry, get_logger, names
from telemetry.foreign_records import ForeignRecords
from telemetry.logs import Logs
from telemetry.settings import TelemetrySettings
from telemetry.testing import Recorder
from telemetry.tracing import current_ids
from tests.telemetry.asgi import serving, watch

log = get_logger("shop.orders")


@pytest.fixture
def told() -> Iterator[Recorder]:
    """What is logged while a telemetry's logs run, without an application."""
    telemetry = Telemetry(TelemetrySettings(service_name="test"))
    recorder = Recorder(telemetry)
    telemetry.logs.start()
    recorder.span = telemetry.span  # type: ignore[attr-defined]
    yield recorder
    telemetry.logs.stop()


def chain(lines: list[bytes], **options: Any) -> Logs:
    """A log chain that ends in a list."""
    settings = TelemetrySettings(service_name="test", **options)
    return Logs(
        settings, write=lines.append, current_ids=current_ids, forward=None, sink=Telemetry(settings).sinks["logs"]
    )


@pytest.fixture
def console() -> Iterator[list[bytes]]:
    """Lines of the readable format."""
    lines: list[bytes] = []
    logs = chain(lines, log_format="console")
    logs.start()
    yield lines
    logs.stop()


def test_line_has_its_keys_in_order(told: Recorder) -> None:
    """A line begins with timestamp, level, event and logger, then the ids, then the event's fields as they came."""
    with told.span("work"):
        log.warning("stock.low", z=1, a="two")
    (line,) = told.raw_lines
    pairs = json.loads(line, object_pairs_hook=list)
    keys = [key for key, _ in pairs]
    assert keys == ["timestamp", "level", "event", "logger", "trace_id", "span_id", "z", "a"]
    assert dict(pairs) | {"timestamp": 0, "trace_id": 0, "span_id": 0} == {
        "timestamp": 0, "level": "warning", "event": "stock.low", "logger": "shop.orders",
        "trace_id": 0, "span_id": 0, "z": 1, "a": "two",
    }  # fmt: skip


def test_line_is_one_line(told: Recorder) -> None:
    """A line ends with its only newline, whatever a value holds."""
    log.info("note", text="a\nb\r\nc\u2028d")
    (line,) = told.raw_lines
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1


def test_timestamp_is_rfc_3339_in_utc(told: Recorder) -> None:
    """The timestamp has six digits of a second and a Z."""
    log.info("note")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", told.lines[0]["timestamp"])


def test_pain_2_ids_only_inside_a_span(told: Recorder) -> None:
    """Pain 2: inside a span a line has its ids, outside it has none, and never an id of zeros."""
    log.info("before")
    with told.span("work") as span:
        log.info("inside")
        logging.getLogger("foreign").warning("inside")
    log.info("after")
    before, *inside, after = told.lines
    ids = (f"{span.get_span_context().trace_id:032x}", f"{span.get_span_context().span_id:016x}")
    assert [(line["trace_id"], line["span_id"]) for line in inside] == [ids, ids]
    assert not {"trace_id", "span_id", "request_id"} & (before.keys() | after.keys())


def add_waiting_routes(app: FastAPI) -> None:
    """Routes whose work is done in threads and behind dependencies, and routes that fail."""

    def sync_dependency() -> None:
        log.info("from.sync_dependency")

    async def yielding() -> AsyncIterator[None]:
        log.info("from.dependency_before")
        yield
        log.info("from.dependency_after")

    @app.get("/sync")
    def in_thread(_a: Annotated[None, Depends(sync_dependency)], _b: Annotated[None, Depends(yielding)]) -> None:
        log.info("from.thread")

    @app.get("/fails")
    async def fails() -> None:
        secret = "the-local-secret"  # noqa: F841
        raise ValueError("text of the error")

    @app.get("/chained")
    async def chained() -> None:
        try:
            {}["inner"]
        except KeyError as error:
            raise RuntimeError("outer") from error


def make_app() -> FastAPI:
    """An app that logs from everywhere work is done."""
    app = FastAPI()
    add_waiting_routes(app)

    @app.get("/background")
    async def background(tasks: BackgroundTasks) -> None:
        def in_thread() -> None:
            log.info("from.background_thread")

        async def in_loop() -> None:
            await asyncio.sleep(0.01)
            log.info("from.background")

        tasks.add_task(in_loop)
        tasks.add_task(in_thread)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for number in range(3):
                log.info("from.stream", number=number)
                await asyncio.sleep(0.002)
                yield b"x"

        return StreamingResponse(parts())

    @app.get("/tasks")
    async def tasks() -> None:
        async def one(number: int) -> None:
            await asyncio.sleep(0.001)
            log.info("from.task", number=number)
            await asyncio.to_thread(log.info, "from.to_thread", number=number)

        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(one(number))

    return app


@pytest.mark.parametrize(
    ("path", "count"), [("/sync", 4), ("/background", 2), ("/stream", 3), ("/tasks", 6), ("/fails", 1)]
)
async def test_pain_1_every_line_of_a_request_has_its_ids(path: str, count: int) -> None:
    """Pain 1: threads, dependencies, background tasks, streams and sub-tasks log with the request's own ids."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        answer = await served.get(path, headers=[(b"x-request-id", b"mine")])
    lines = [line for line in recorder.lines if line["event"].startswith(("from.", "http."))]
    assert len(lines) == count + 1
    assert {(line.get("request_id"), line.get("trace_id")) for line in lines} == {("mine", answer.trace_id)}
    # Background tasks have a span of their own, a child of the request's.
    assert [line["span_id"] for line in lines if not line["event"].startswith("from.background")] == [
        answer.span_id
    ] * (len(lines) - 2 * (path == "/background"))


async def test_concurrent_requests_never_mix_their_ids() -> None:
    """Of 200 requests at the same time every line has the trace of its own request."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        paths = ["/sync", "/stream", "/tasks", "/background"] * 50
        answers = await asyncio.gather(
            *(served.get(path, headers=[(b"x-request-id", b"r%d" % n)]) for n, path in enumerate(paths))
        )
    traces = {f"r{number}": answer.trace_id for number, answer in enumerate(answers)}
    lines = [line for line in recorder.lines if "request_id" in line]
    assert len(lines) == 50 * (5 + 4 + 7 + 3)
    assert [line for line in lines if line["trace_id"] != traces[line["request_id"]]] == []
    assert [answer.header("x-request-id") for answer in answers] == [f"r{n}" for n in range(200)]


async def test_nothing_is_bound_after_a_request() -> None:
    """What the same task logs after a request carries no id of it."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        await served.get("/sync")
        log.info("after")
    assert not {"request_id", "trace_id", "span_id"} & recorder.events("after")[0].keys()


async def test_unhandled_error_is_logged_once_without_locals() -> None:
    """An unhandled error is one line with type, text and frames, and no local variable of any frame."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        await served.get("/fails")
    (line,) = recorder.events("http.request.failed")
    (raised,) = line["exception"]
    assert (raised["exc_type"], raised["exc_value"]) == ("ValueError", "text of the error")
    assert raised["frames"][-1]["function"] == "fails"
    assert b"the-local-secret" not in b"".join(recorder.raw_lines)
    assert b'"locals"' not in b"".join(recorder.raw_lines)


async def test_cause_of_an_error_is_shown() -> None:
    """A chained exception is shown with its cause."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        await served.get("/chained")
    (line,) = recorder.events("http.request.failed")
    assert [raised["exc_type"] for raised in line["exception"]] == ["RuntimeError", "KeyError"]


async def test_servers_second_record_is_dropped() -> None:
    """The server's record of an error that was logged with its trace is dropped; of another error it stays."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        answer = await served.get("/fails")
        server = logging.getLogger("uvicorn.error")
        server.error("Exception in ASGI application\n", exc_info=answer.error)
        server.error("Exception in ASGI application\n", exc_info=ValueError("of the server"))
    values = [line["exception"][0]["exc_value"] for line in recorder.lines if line["logger"] == "uvicorn.error"]
    assert values == ["of the server"]


def test_foreign_record_goes_through_the_chain(told: Recorder) -> None:
    """A record of `logging` has the same shape: level, message as event, logger's name, exception without locals."""
    secret = "the-local-secret"  # noqa: F841
    try:
        Path("/nowhere/at/all").read_bytes()
    except OSError:
        logging.getLogger("library.part").exception("could not %s", "write")
    (line,) = told.lines
    assert list(line)[:4] == ["timestamp", "level", "event", "logger"]
    assert (line["level"], line["event"], line["logger"]) == ("error", "could not write", "library.part")
    assert line["exception"][0]["exc_type"] == "FileNotFoundError"
    assert b"the-local-secret" not in told.raw_lines[0]


def test_warning_is_a_line(told: Recorder) -> None:
    """A Python warning goes through the chain."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old way", DeprecationWarning, stacklevel=1)
    (line,) = told.lines
    assert (line["logger"], line["level"]) == ("py.warnings", "warning")
    assert "old way" in line["event"]


def test_exporters_own_records_are_dropped(told: Recorder) -> None:
    """The exporters' complaints do not go out through the exporters."""
    logging.getLogger("opentelemetry.sdk.trace.export").error("Failed to export")
    assert told.lines == []


class Bad:
    """Its repr raises."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


CYCLE: list[Any] = []
CYCLE.append(CYCLE)
DEEP: Any = "end"
for _ in range(400):
    DEEP = [DEEP]
UNHOLDABLE = {
    "lone surrogate": "a\ud800b",
    "huge integer": 2**80,
    "cycle": CYCLE,
    "repr that raises": Bad(),
    "bytes": b"\xff\x00",
    "set": {1, 2},
    "object": object(),
    "nan": float("nan"),
    "nested surrogate": {"a": ["\udfff"]},
    "key of any type": {1: "a", (1, 2): "b"},
    "key that is a surrogate": {"\ud800": 1},
    "deep nesting": DEEP,
    "namespace": SimpleNamespace(a=1),
    "class": Bad,
    "exception": ValueError("x"),
    "generator": (number for number in ()),
}


@pytest.mark.parametrize("value", UNHOLDABLE.values(), ids=list(UNHOLDABLE))
def test_value_that_json_cannot_hold_keeps_its_line(told: Recorder, value: Any) -> None:
    """Whatever a value is, the line is there, is JSON, and has its other fields."""
    log.info("odd", value=value, other="kept")
    (line,) = told.lines
    assert (line["event"], line["other"]) == ("odd", "kept")
    assert "value" in line


@pytest.mark.parametrize("value", UNHOLDABLE.values(), ids=list(UNHOLDABLE))
def test_foreign_message_of_any_value_keeps_its_line(told: Recorder, value: Any) -> None:
    """A record of `logging` with any argument is a line, but for one whose own repr raises."""
    if isinstance(value, Bad):
        value = "a\ud800b"
    logging.getLogger("foreign").warning("odd %s", value)
    (line,) = told.lines
    assert line["event"].startswith("odd ")


def test_event_of_any_type_keeps_its_line(told: Recorder) -> None:
    """An event name that is no text, or a lone surrogate, is a line."""
    log.info("\ud800")
    log.info(12)
    assert len(told.lines) == 2


class BadText(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_exception_without_text_keeps_its_line(told: Recorder) -> None:
    """An exception whose `__str__` raises, and one with a lone surrogate, are lines."""
    log.error("failed", exc_info=BadText())
    log.error("failed", exc_info=ValueError("\ud800"))
    logging.getLogger("foreign").error("failed", exc_info=BadText())
    assert [line["event"] for line in told.lines] == ["failed"] * 3


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_level_is_a_floor(level: str) -> None:
    """What is below the level is not written; of foreign records nothing below info: they show what they handle."""
    lines: list[bytes] = []
    logs = chain(lines, log_level=level)
    logs.start()
    try:
        for each in ("debug", "info", "warning", "error", "critical"):
            getattr(log, each)("own")
            getattr(logging.getLogger("foreign"), each)("foreign")
    finally:
        logs.stop()
    order = ["debug", "info", "warning", "error", "critical"]
    own = [(name, "own") for name in order[order.index(level) :]]
    foreign = [(name, "foreign") for name in order[max(order.index(level), 1) :]]
    told = [(line["level"], line["event"]) for line in map(json.loads, lines)]
    assert sorted(told) == sorted(own + foreign)


@pytest.mark.parametrize(("level", "told"), [("debug", ["info", "error"]), ("error", ["error"])])
def test_level_is_a_floor_for_loggers_with_their_own(monkeypatch: pytest.MonkeyPatch, level: str, told: list) -> None:
    """A library that an environment variable sets to debug (ANTHROPIC_LOG) shows no more than the others."""
    library = logging.getLogger("library.own")
    monkeypatch.setattr(library, "level", logging.DEBUG)
    lines: list[bytes] = []
    logs = chain(lines, log_level=level)
    logs.start()
    try:
        library.debug("Request options: %s", {"json_data": "a prompt"})
        library.info("info")
        library.error("error")
    finally:
        logs.stop()
    assert [json.loads(line)["event"] for line in lines] == told


async def test_level_above_info_silences_the_access_event() -> None:
    """At level warning there is no access event, and metrics and spans stay."""
    app = make_app()
    _, recorder = watch(app, log_level="warning")
    async with serving(app) as served:
        await served.get("/sync")
    assert recorder.lines == []
    assert len(recorder.server_spans()) == 1


def test_logging_is_given_back() -> None:
    """After the stop, the root of `logging` is as it was before."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    logs = chain([])
    logs.start()
    assert root.handlers != before[0]
    logs.stop()
    assert (root.handlers, root.level) == before


def test_uvicorns_records_are_lines() -> None:
    """The server's loggers are written once, through the chain; after the stop they have their own handlers again."""
    lines: list[bytes] = []
    server = logging.getLogger("uvicorn.error")
    own = logging.StreamHandler()
    server.addHandler(own)
    server.propagate = False
    logs = chain(lines)
    logs.start()
    try:
        server.info("Started server process [%d]", 7)
    finally:
        logs.stop()
    after = server.handlers[:], server.propagate
    server.removeHandler(own)
    server.propagate = True
    assert after == ([own], False)
    assert [json.loads(line)["event"] for line in lines] == ["Started server process [7]"]


def test_console_is_readable(console: list[bytes]) -> None:
    """On the console a line has level, event, fields and logger as text, and is no JSON."""
    log.info("stock.low", item="chair")
    (line,) = console
    text = re.sub(r"\x1b\[[0-9;]*m", "", line.decode())
    assert text.endswith("\n")
    assert not text.startswith("{")
    for part in ("stock.low", "item=chair", "shop.orders", "info"):
        assert part in text


def test_console_shows_a_traceback_without_locals(console: list[bytes]) -> None:
    """On the console an exception is a plain traceback."""
    secret = "the-local-secret"  # noqa: F841
    try:
        int("text")
    except ValueError:
        log.exception("failed")
    text = b"".join(console).decode()
    assert "ValueError: invalid literal" in text
    assert "the-local-secret" not in text


async def test_access_event_on_the_console() -> None:
    """In the console format too each request has its one access event."""
    app = make_app()
    _, recorder = watch(app, log_format="console")
    async with serving(app) as served:
        await served.get("/sync")
    assert len([line for line in recorder.raw_lines if b"http.request.completed" in line]) == 1


@pytest.mark.parametrize("path", ["/sync", "/stream", "/fails", "/nowhere"])
async def test_access_events_direct_path_equals_the_chain(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The access event that took the direct path is byte for byte what the chain makes of the same event."""
    monkeypatch.setattr(telemetry.logs, "timestamp", lambda: "2026-01-02T03:04:05.678901Z")
    app = make_app()
    watched, recorder = watch(app)
    seen: list[tuple[bytes, bytes]] = []
    direct = watched.logs.access

    def both(*ids: Any) -> None:
        direct(*ids)
        get_logger(telemetry.logs.ACCESS_LOGGER).info(names.HTTP_REQUEST_COMPLETED, **ids[-1])
        seen.append((recorder.raw_lines[-2], recorder.raw_lines[-1]))

    monkeypatch.setattr(watched.logs, "access", both)
    async with serving(app) as served:
        await served.get(path)
    ((one, other),) = seen
    assert one == other
    assert json.loads(one)["event"] == "http.request.completed"


async def test_access_event_has_its_declared_fields() -> None:
    """The access event has only the fields that `names` declares, beside the line's own."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        await served.get("/sync")
    (line,) = recorder.events("http.request.completed")
    own = {"timestamp", "level", "event", "logger", "request_id", "trace_id", "span_id"}
    assert line.keys() - own <= set(names.HTTP_REQUEST_COMPLETED.fields)
    assert (line["method"], line["route"], line["status"], line["bytes"]) == ("GET", "/sync", 200, 4)


def test_logger_bound_before_the_start_is_no_way_around() -> None:
    """A logger that was bound in a module, before anything ran, goes through the chain while it runs."""
    early = get_logger("early").bind(component="x", password="hunter2")
    telemetry = Telemetry(TelemetrySettings(service_name="test"))
    recorder = Recorder(telemetry)
    telemetry.logs.start()
    try:
        early.info("note", who="bob@example.com")
        early.debug("below the level")
    finally:
        telemetry.logs.stop()
    (line,) = recorder.lines
    assert (line["event"], line["component"], line["who"]) == ("note", "x", "[REDACTED:email]")
    assert line["password"] == "[REDACTED:field]"


@pytest.mark.parametrize("name", ["uvicorn.access", "gunicorn.access", "httpx"])
def test_lines_that_tell_whole_requests_stay_out(told: Recorder, name: str) -> None:
    """What servers and clients log of each request is not written: the access event and the spans say it."""
    logging.getLogger(name).info("GET /jobs?q=Ada+Lovelace")
    logging.getLogger(name).warning("slow")
    assert [line["event"] for line in told.lines] == ["slow"]


@pytest.mark.parametrize("name", ["sentry-sdk.BackgroundWorker", "OtelBatchSpanRecordProcessor"])
def test_retries_of_exporters_are_not_told(told: Recorder, name: str) -> None:
    """What an exporter's thread logs on its way is left out: the loss, when it is one, is said once a minute."""
    retries = logging.getLogger("urllib3.connectionpool")
    thread = threading.Thread(target=retries.warning, args=("Retrying after %r", OSError("refused")), name=name)
    thread.start()
    thread.join()
    retries.warning("of the application's own")
    assert [line["event"] for line in told.lines] == ["of the application's own"]


def test_record_with_a_database_error_says_its_code(told: Recorder) -> None:
    """A record of `logging` whose message or argument is a database's error, or quotes one, has its code."""
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute("select 'Ada Lovelace' from nowhere")
    except sqlite3.Error as error:
        # All that one should not do, since others do it.
        logging.getLogger("foreign").exception("could not save: %s", error)  # noqa: TRY401
        logging.getLogger("foreign").error(error)  # noqa: TRY400
        log.exception(f"not saved: {error}")  # noqa: G004, TRY401
        log.exception("not saved", error=error)
    first, second, third, fourth = told.lines
    assert (first["event"], second["event"]) == ("could not save: SQLITE_ERROR", "SQLITE_ERROR")
    assert (third["event"], fourth["error"]) == ("not saved: SQLITE_ERROR", "OperationalError: SQLITE_ERROR")


def test_record_whose_arguments_do_not_fit_is_its_template(told: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    """A record that cannot be formatted is told without its arguments, and standard error says nothing of them."""
    record = logging.LogRecord("foreign", logging.WARNING, "file", 1, "user %d", ("bob@example.com",), None)
    # pytest has a handler of its own at the root, which raises.
    next(handler for handler in logging.getLogger().handlers if isinstance(handler, ForeignRecords)).emit(record)
    assert [line["event"] for line in told.lines] == ["user %d"]
    assert capsys.readouterr().err == ""
