"""What is told, without what exceptions quote in it: rows, statements, prompts and validated input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sentry_sdk.utils import get_error_message

from telemetry.quotations import code_of, codes_behind, everything_behind, without

if TYPE_CHECKING:
    from collections.abc import Mapping


def without_quotations(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """Give an event in which such an exception says its code instead, also where another text quotes it.

    Args:
        event: as the SDK serialised it; called where it was captured, since what is handled there may be quoted.
        hint: the SDK's; `exc_info` is what the event is of.
    """
    codes = _codes((hint.get("exc_info") or (None, None, None))[1], sys.exc_info()[1])
    if not codes:
        return event
    told = _replaced(event, codes, "message")
    if isinstance(told.get("logentry"), dict):
        told["logentry"] = _replaced(told["logentry"], codes, "message", "formatted")
    if told.get("exception"):
        told["exception"] = {"values": [_replaced(raised, codes, "value") for raised in told["exception"]["values"]]}
    return told


def without_handled(part: dict[str, Any], field: str) -> dict[str, Any]:
    """Give a breadcrumb or a record whose text does not quote the exception that is handled where it was made.

    Args:
        part: a mapping.
        field: where the text is.
    """
    codes = _codes(sys.exc_info()[1])
    return _replaced(part, codes, field) if codes else part


def _codes(*exceptions: BaseException | None) -> dict[str, str]:
    codes: dict[str, str] = {}
    for exception in exceptions:
        if exception is not None:
            codes.update(codes_behind(exception))
            # The SDK looks for the text in other places first, and adds notes to it.
            behind = everything_behind(exception)
            codes.update((get_error_message(error), code) for error in behind if (code := code_of(error)))
    return codes


def _replaced(part: dict[str, Any], codes: Mapping[str, str], *fields: str) -> dict[str, Any]:
    texts = {name: without(part[name], codes) for name in fields if isinstance(part.get(name), str)}
    return {**part, **texts}
