"""An exception as attributes, by the OpenTelemetry semantic conventions for exceptions."""

import traceback

from telemetry.rendering import as_text, shown

# One runaway text must not fill a batch.
MAX_TEXT_CHARS = 16_384


def exception_attributes(exception: BaseException) -> dict[str, str]:
    """Give type, message and stack trace of an exception; its frames without their variables.

    Args:
        exception: any, also one whose `__str__` raises.
    """
    return {
        "exception.type": type(exception).__qualname__,
        "exception.message": message_of(exception)[:MAX_TEXT_CHARS],
        "exception.stacktrace": as_text("".join(traceback.format_exception(exception)))[:MAX_TEXT_CHARS],
    }


def message_of(exception: BaseException) -> str:
    """Give an exception's text, or a placeholder where its `__str__` raises."""
    try:
        return as_text(str(exception))
    except Exception:  # noqa: BLE001 - a foreign __str__ may raise anything
        return shown(exception)
