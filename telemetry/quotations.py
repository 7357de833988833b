"""Texts that quote what they were about: of databases', models' and validation errors, and who quotes them, codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry import database_errors, model_errors, validation_errors
from telemetry.rendering import as_text, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def code_of(exception: BaseException) -> str | None:
    """Give what a database's, a model's or a validation error says instead of its text; None: it is another error.

    Args:
        exception: any.
    """
    reducers = (database_errors.reduced, model_errors.reduced, validation_errors.reduced)
    return next((code for reduced in reducers if (code := reduced(exception)) is not None), None)


def text_of(exception: BaseException) -> str:
    """Give an exception's text, or a placeholder where its `__str__` raises."""
    try:
        return as_text(str(exception))
    except Exception:  # noqa: BLE001 - a foreign __str__ may raise anything
        return shown(exception)


def message_of(exception: BaseException) -> str:
    """Give an exception's text, without what it quotes of a database's or a validation's."""
    return without(text_of(exception), codes_behind(exception))


def said(exception: BaseException) -> str:
    """Give an exception as one text: its type, and its text without what it quotes.

    Args:
        exception: any.
    """
    return f"{type(exception).__qualname__}: {message_of(exception)}"


def codes_behind(exception: BaseException) -> dict[str, str]:
    """Give the texts that must not be told, of an exception and all behind it, each with what is told instead.

    Args:
        exception: any; suppressed contexts count too, since they are quoted as well.
    """
    codes: dict[str, str] = {}
    for error in everything_behind(exception):
        code = code_of(error)
        if code is not None:
            codes.update((quoted, code) for quoted in _quotable(error))
    return codes


def _quotable(error: BaseException) -> Iterator[str]:
    """Give the texts by which an error may be quoted: its own, its `repr`, what that makes of its text, its detail."""
    text = text_of(error)
    yield text
    yield shown(error)
    yield shown(text)[1:-1]
    for name in ("detail", "hint", "message"):
        part = getattr(error, name, None)
        if isinstance(part, str) and " " in part:
            yield part


def without(text: str, codes: Mapping[str, str]) -> str:
    """Give a text in which codes stand for the texts that it is, or quotes.

    Args:
        text: of an exception.
        codes: as `codes_behind` gives them.
    """
    if text in codes:
        return codes[text]
    # The longest first: the text of a driver's error is a part of its wrapper's.
    for quoted in sorted(codes, key=len, reverse=True):
        if " " in quoted:  # a single word may stand in any text without being quoted
            text = text.replace(quoted, codes[quoted])
    return text


def everything_behind(exception: BaseException) -> Iterator[BaseException]:
    """Give an exception, its causes, contexts (suppressed ones too) and parts, each once."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [exception]
    while pending:
        error = pending.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        yield error
        pending += [error.__cause__, error.__context__, *getattr(error, "exceptions", ())]
