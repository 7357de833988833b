"""Where an application's own code may put a text: each place, and the ways out by which it would be told."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, make_dataclass

import sentry_sdk
import structlog
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from telemetry import Telemetry, get_logger

log = get_logger("foreign")
_Note = make_dataclass("_Note", [("note", str)])
_HANDLED = (RuntimeError, ExceptionGroup)


class Shown:
    """Shows a text as its `repr`."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return f"Shown({self._text})"


def fail(text: str) -> None:
    """Raise an exception that says a text three times: itself, by its cause and in a note."""
    try:
        {}[text]
    except KeyError as error:
        failure = RuntimeError(f"cannot use {text}")
        failure.add_note(f"seen: {text}")
        raise failure from error


def fail_as_group(text: str) -> None:
    """Raise a group of exceptions that each say a text."""
    raise ExceptionGroup(f"all of {text}", [ValueError(text), TypeError({"note": text})])


def raised(how: Callable[[str], None], text: str) -> BaseException:
    """Give an exception with its trace."""
    try:
        how(text)
    except _HANDLED as error:
        return error
    raise AssertionError


@dataclass(frozen=True, slots=True)
class Place:
    """A place: how a text gets there, and the sinks in which it stands unless it is scrubbed."""

    put: Callable[[Telemetry, str], None]
    sinks: frozenset[str]


PLACES: dict[str, Place] = {}
LOGS, TRACES, SENTRY = frozenset({"logs", "otlp_logs"}), frozenset({"traces"}), frozenset({"sentry"})


def _place(sinks: frozenset[str]) -> Callable[[Callable[[Telemetry, str], None]], Callable[[Telemetry, str], None]]:
    def keep(put: Callable[[Telemetry, str], None]) -> Callable[[Telemetry, str], None]:
        PLACES[put.__name__.removeprefix("_")] = Place(put, sinks)
        return put

    return keep


@_place(LOGS)
def _log_field(_telemetry: Telemetry, text: str) -> None:
    log.info("test.field", note=text)


@_place(LOGS)
def _log_nested(_telemetry: Telemetry, text: str) -> None:
    log.info("test.nested", data={"list": [{"deep": (text,)}], "set": {text}})


@_place(LOGS)
def _log_key(_telemetry: Telemetry, text: str) -> None:
    log.info("test.key", data={"inner": {text: 1}})


@_place(LOGS)
def _log_top_key(_telemetry: Telemetry, text: str) -> None:
    log.info("test.key", **{text: 1})


@_place(LOGS)
def _log_event(_telemetry: Telemetry, text: str) -> None:
    log.info(text)


@_place(LOGS)
def _log_argument(_telemetry: Telemetry, text: str) -> None:
    log.warning("saw %s", text)


@_place(LOGS)
def _log_object(_telemetry: Telemetry, text: str) -> None:
    log.info("test.object", a=Shown(text), b=[Shown(text)], c=_Note(text), d=text.encode(), e=ValueError(text))


@_place(LOGS)
def _log_name(_telemetry: Telemetry, text: str) -> None:
    get_logger(text).info("test.name")


@_place(LOGS)
def _log_foreign(_telemetry: Telemetry, text: str) -> None:
    logging.getLogger("library").warning("saw %s and %r", text, {"note": text}, extra={"note": text})


@_place(LOGS)
def _log_bound(_telemetry: Telemetry, text: str) -> None:
    with structlog.contextvars.bound_contextvars(note=text):
        log.info("test.bound")


@_place(LOGS)
def _log_exception(_telemetry: Telemetry, text: str) -> None:
    log.error("test.failed", exc_info=raised(fail, text))


@_place(LOGS)
def _log_exception_group(_telemetry: Telemetry, text: str) -> None:
    logging.getLogger("library").error("failed", exc_info=raised(fail_as_group, text))


@_place(TRACES)
def _span_name(telemetry: Telemetry, text: str) -> None:
    with telemetry.span(text):
        pass


@_place(TRACES)
def _span_attribute(telemetry: Telemetry, text: str) -> None:
    with telemetry.span("test.span", note=text) as span:
        span.set_attribute("notes", ["-", text])


@_place(TRACES)
def _span_attribute_key(telemetry: Telemetry, text: str) -> None:
    with telemetry.span("test.span") as span:
        span.set_attribute(text, 1)


@_place(TRACES)
def _span_event(telemetry: Telemetry, text: str) -> None:
    with telemetry.span("test.span") as span:
        span.add_event(text, {"note": text, "notes": [text], text: 1})


@_place(TRACES)
def _span_link(telemetry: Telemetry, text: str) -> None:
    with telemetry.span("test.span") as span:
        span.add_link(SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1)), {"note": text, text: [text]})


@_place(TRACES)
def _span_status(telemetry: Telemetry, text: str) -> None:
    with telemetry.span("test.span") as span:
        span.set_status(Status(StatusCode.ERROR, text))


@_place(TRACES)
def _span_exception(telemetry: Telemetry, text: str) -> None:
    with telemetry.span("test.span") as span:
        span.record_exception(raised(fail, text), {"note": text})


@_place(TRACES)
def _span_left_by_an_exception(telemetry: Telemetry, text: str) -> None:
    try:
        with telemetry.span("test.span"):
            fail_as_group(text)
    except ExceptionGroup:
        pass


@_place(TRACES)
def _span_scope(telemetry: Telemetry, text: str) -> None:
    telemetry.tracing.provider.get_tracer(text, text, attributes={"note": text}).start_span("test.span").end()


@_place(SENTRY)
def _captured(telemetry: Telemetry, text: str) -> None:
    telemetry.capture(raised(fail, text))


@_place(SENTRY)
def _captured_group(telemetry: Telemetry, text: str) -> None:
    telemetry.capture(raised(fail_as_group, text))


@_place(LOGS | SENTRY)
def _crashed_thread(_telemetry: Telemetry, text: str) -> None:
    thread = threading.Thread(target=fail, args=(text,), name=text)
    thread.start()
    thread.join()


@_place(LOGS | SENTRY)
def _failed_callback(_telemetry: Telemetry, text: str) -> None:
    asyncio.get_running_loop().call_soon(fail, text)


@_place(SENTRY)
def _sentry_scope(_telemetry: Telemetry, text: str) -> None:
    with sentry_sdk.new_scope() as scope:
        scope.set_tag("note", text)
        scope.set_extra("note", {"deep": [text]})
        scope.set_context("own", {"note": text, text: text})
        scope.set_user({"id": text, "email": text, "username": text})
        scope.set_transaction_name(text)
        scope.fingerprint = [text]
        scope.add_breadcrumb(category=text, message=text, data={"note": text})
        scope.add_attachment(bytes=text.encode(), filename=text)
        sentry_sdk.capture_message(text)
        sentry_sdk.capture_exception(raised(fail, text))


@_place(frozenset())
def _sentry_trace(_telemetry: Telemetry, text: str) -> None:
    with (
        sentry_sdk.start_transaction(op=text, name=text) as transaction,
        sentry_sdk.start_span(op=text, name=text) as span,
    ):
        transaction.set_tag("note", text)
        span.set_data("note", {"deep": text})
