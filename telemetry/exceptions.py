"""Exceptions as attributes, text and data: frames without variables and source, databases' without their texts."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any

from telemetry.quotations import codes_behind, message_of, without
from telemetry.rendering import as_text, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

# One runaway text must not fill a batch.
MAX_TEXT_CHARS = 16_384
_LONGEST_CHAIN = 20
# The innermost frames; a recursion has a thousand.
_FRAMES = 60
_CAUSE = "The above exception was the direct cause of the following exception:"
_CONTEXT = "During handling of the above exception, another exception occurred:"
_PART = "A part of the exception group above:"


def exception_attributes(exception: BaseException) -> dict[str, str]:
    """Give type, message and stack trace by the OpenTelemetry semantic conventions for exceptions.

    Args:
        exception: any, also one whose `__str__` raises.
    """
    return {
        "exception.type": type(exception).__qualname__,
        "exception.message": message_of(exception)[:MAX_TEXT_CHARS],
        "exception.stacktrace": traceback_text(exception)[:MAX_TEXT_CHARS],
    }


def chain(exception: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Give an exception and those behind it, outermost first, each with its relation to the one before.

    Args:
        exception: any; cycles end, and so do chains of more than 20.

    Returns:
        The relation is the line that Python writes between the two; empty for the first one.
    """
    seen: set[int] = set()
    pending = [(exception, "")]
    while pending and len(seen) < _LONGEST_CHAIN:
        current, relation = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current, relation
        if isinstance(current, BaseExceptionGroup):
            pending += [(part, _PART) for part in reversed(current.exceptions)]
        if current.__cause__ is not None:
            pending.append((current.__cause__, _CAUSE))
        elif current.__context__ is not None and not current.__suppress_context__:
            pending.append((current.__context__, _CONTEXT))


def traceback_text(exception: BaseException) -> str:
    """Give the stack traces of an exception and those behind it as Python prints them, the cause first."""
    text = ""
    for current, relation in chain(exception):
        lines = [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n' for frame in _frames(current)]
        head = "Traceback (most recent call last):\n" if lines else ""
        said = "\n".join([f"{_qualified(current)}: {message_of(current)}", *_notes(current)])
        story = f"{head}{''.join(lines)}{said}\n"
        if relation == _PART:
            text = f"{text}\n{relation}\n\n{story}"
        else:
            text = f"{story}\n{relation}\n\n{text}" if relation else story
    return as_text(text)


def traceback_data(exception: BaseException) -> list[dict[str, Any]]:
    """Give the exception and those behind it as data, outermost first.

    Returns:
        Of each: `exc_type`, `exc_value`, `exc_notes`, `is_cause`, and `frames` with `filename`, `lineno`, `function`.
    """
    return [
        {
            "exc_type": type(current).__qualname__,
            "exc_value": message_of(current),
            "exc_notes": _notes(current),
            "is_cause": relation == _CAUSE,
            "frames": [
                {"filename": frame.filename, "lineno": frame.lineno, "function": frame.name}
                for frame in _frames(current)
            ],
        }
        for current, relation in chain(exception)
    ]


def raised(exc_info: Any) -> BaseException | None:  # noqa: ANN401 - what `logging` and structlog accept
    """Give the exception of an `exc_info`: an exception, a triple, or true for the one being handled."""
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    if exc_info and not isinstance(exc_info, BaseException):
        exc_info = sys.exc_info()[1]
    return exc_info if isinstance(exc_info, BaseException) else None


def _frames(exception: BaseException) -> list[traceback.FrameSummary]:
    """Give the innermost frames, without lines of source: a literal in one may be somebody's."""
    walked = traceback.walk_tb(exception.__traceback__)
    return traceback.StackSummary.extract(walked, limit=-_FRAMES, lookup_lines=False)


def _qualified(exception: BaseException) -> str:
    kind = type(exception)
    bare = kind.__module__ in {"builtins", "__main__"}
    return kind.__qualname__ if bare else f"{kind.__module__}.{kind.__qualname__}"


def _notes(exception: BaseException) -> list[str]:
    notes = getattr(exception, "__notes__", None)
    if not isinstance(notes, list):
        return []
    codes = codes_behind(exception)
    return [without(as_text(note) if isinstance(note, str) else shown(note), codes) for note in notes]
