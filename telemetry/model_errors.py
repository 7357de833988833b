"""Errors of language models' clients without their texts: a provider's refusal quotes what it was sent.

Recognised by where they come from, since an application may have any of the clients, or none.
"""

from __future__ import annotations

_CLIENTS = frozenset({"anthropic", "openai", "litellm"})


def reduced(exception: BaseException) -> str | None:
    """Give the HTTP status of a provider's error; None: it is another error.

    Args:
        exception: any.
    """
    if type(exception).__module__.partition(".")[0] not in _CLIENTS:
        return None
    status = getattr(exception, "status_code", None)
    if isinstance(status, int):
        return f"HTTP {status}"
    return None if getattr(exception, "body", None) is None else "no status"
