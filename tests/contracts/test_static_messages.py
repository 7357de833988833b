"""Our own code never puts somebody's text into a message: events are names, what varies is in their fields."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for room in ("service", "telemetry") for path in (ROOT / room).rglob("*.py"))
# Where requests are served, what an exception says may be what somebody sent.
SERVING = ("service/auth", "service/domain", "service/limits", "service/middleware", "service/routes")
LOGGERS = {"log", "_log", "logger", "_logger"}
METHODS = {"debug", "info", "warning", "error", "critical", "exception", "log", "msg"}


def logged(tree: ast.AST) -> Iterator[ast.expr]:
    """Give the first argument of every call of a logger."""
    for call in ast.walk(tree):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in METHODS
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id in LOGGERS
        ):
            yield call.args[0]


def raised(tree: ast.AST) -> Iterator[ast.JoinedStr]:
    """Give every text with something put into it that is raised."""
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Raise) and statement.exc is not None:
            yield from (part for part in ast.walk(statement.exc) if isinstance(part, ast.JoinedStr))


def is_name(event: ast.expr) -> bool:
    """Say whether an expression is one of the names of `telemetry.names`, or a fixed text."""
    if isinstance(event, ast.Constant):
        return isinstance(event.value, str)
    return isinstance(event, ast.Attribute) and isinstance(event.value, ast.Name) and event.value.id == "names"


@pytest.mark.parametrize(
    "code", ["log.info(f'of {who}')", "log.info('of %s' % who)", "_log.error('of ' + who)", "log.info(who)"]
)
def test_message_with_somebodys_text_is_found(code: str) -> None:
    """The check sees every way to put a text into a message."""
    assert [is_name(event) for event in logged(ast.parse(code))] == [False]


def test_every_event_is_a_name() -> None:
    """What our code logs are names; whatever varies is a field, where the policy knows its key."""
    found = {
        f"{path.relative_to(ROOT)}:{event.lineno}"
        for path in MODULES
        for event in logged(ast.parse(path.read_text()))
        if not is_name(event)
    }
    assert found == set()


def test_no_exception_of_a_request_quotes_it() -> None:
    """Where requests are served nothing is put into the text of an exception."""
    found = {
        f"{path.relative_to(ROOT)}:{text.lineno}"
        for path in MODULES
        if str(path.relative_to(ROOT)).startswith(SERVING)
        for text in raised(ast.parse(path.read_text()))
    }
    assert found == set()
