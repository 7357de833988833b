"""Every place of an event, a transaction, a log and a metric into which an application can put something."""

from collections.abc import Callable

import sentry_sdk

# One of each of the forms that carry an identity, money or access; `{}` keeps the places apart.
MARKERS = {
    "email": "p{}planted@example.com",
    "credit_card": "4111 1111 1111 1111 p{}planted@example.com",
    "iban": "DE89 3704 0044 0532 0130 00 p{}planted@example.com",
    "token": "ghp_16C7e42F292c6912E7710c838347Ae178B4a p{}planted@example.com",
}
CORES = ("planted", "41111111", "37040044", "16C7e42F292c")


class Explodes:
    """Cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Shown:
    """Shows what it is told to."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"<Shown {self.text}>"


def on_the_scope(marker: Callable[[], str]) -> None:
    """Fill the scope."""
    sentry_sdk.set_tag("plain", marker())
    sentry_sdk.set_tag(marker(), "tag key")
    sentry_sdk.set_context("order", {"note": marker(), "deep": {"list": [1, {"x": marker()}]}, marker(): "key"})
    sentry_sdk.set_context(marker(), {"a": 1})
    for own in ("runtime", "os", "browser", "device", "app", "culture", "gpu", "cloud_resource"):
        sentry_sdk.set_context(own, {"build": marker()})
    for shared in ("response", "otel", "state"):
        sentry_sdk.set_context(shared, {"note": marker()})
    sentry_sdk.set_context("pii", {"redactions": [f"email@{marker()}"]})
    sentry_sdk.set_extra("plain", marker())
    sentry_sdk.set_extra("deep", {"a": {"b": {"c": {"d": {"e": {"f": {"g": marker()}}}}}}})
    sentry_sdk.set_extra("bytes", marker().encode())
    sentry_sdk.set_extra("shown", Shown(marker()))
    sentry_sdk.get_isolation_scope().set_transaction_name(marker())
    sentry_sdk.get_isolation_scope().fingerprint = ["{{ default }}", marker()]
    for _ in range(2):
        sentry_sdk.add_breadcrumb(
            message=marker(), category=marker(), type=marker(), data={"text": marker(), "deep": {"list": [marker()]}}
        )


def raised(marker: Callable[[], str]) -> BaseException:
    """Give an error with a cause, a context, parts and notes."""
    cause = ValueError(marker())
    cause.__context__ = KeyError(marker())
    error = ExceptionGroup(marker(), [OSError(5, marker()), RuntimeError(marker())])
    error.add_note(marker())
    try:
        raise error from cause
    except ExceptionGroup as group:
        return group


def an_event(marker: Callable[[], str]) -> dict:
    """Give an event made by hand, with what the SDK's integrations would have put there."""
    frame = {"filename": marker(), "function": marker(), "abs_path": marker(), "module": marker(), "lineno": 1}
    return {
        "message": marker(),
        "logentry": {"message": marker(), "params": ["Ann Prose"], "formatted": marker()},
        "logger": marker(),
        "culprit": marker(),
        "level": "error",
        "release": marker(),
        "modules": {"package": marker()},
        "request": {
            "url": f"https://host/{marker()}?q=Ann+Prose#Ann",
            "method": "POST",
            "headers": {"Referer": marker(), "Authorization": "prose", "X-Other": marker()},
            "query_string": "q=Ann+Prose",
            "data": {"cv": "Ann Prose"},
            "cookies": {"c": "Ann Prose"},
            "env": {"REMOTE_ADDR": "Ann Prose"},
        },
        "threads": {"values": [{"id": 1, "name": marker(), "stacktrace": {"frames": [frame]}}]},
        "exception": {
            "values": [
                {
                    "type": marker(),
                    "module": marker(),
                    "value": marker(),
                    "mechanism": {"type": "x", "data": {"note": "Ann Prose"}},
                    "stacktrace": {"frames": [{**frame, "vars": {"x": "Ann Prose"}, "context_line": "Ann Prose"}]},
                    "raw_stacktrace": {"frames": [{"vars": {"x": "Ann Prose"}}]},
                }
            ]
        },
        "invented": {marker(): [marker()]},
    }


def a_transaction(marker: Callable[[], str]) -> dict:
    """Give a transaction with a span."""
    return {
        "type": "transaction",
        "transaction": marker(),
        "start_timestamp": 1790000000.5,
        "timestamp": 1790000001.5,
        "contexts": {
            "trace": {
                "trace_id": marker(),
                "span_id": marker(),
                "data": {"http.method": marker()},
                "dynamic_sampling_context": {"trace_id": marker(), "user_id": marker()},
            }
        },
        "spans": [
            {
                "trace_id": marker(),
                "span_id": marker(),
                "op": marker(),
                "description": marker(),
                "data": {"note": marker(), marker(): 1},
                "tags": {"note": marker()},
                "start_timestamp": 1790000000.5,
                "timestamp": 1790000001.5,
            }
        ],
        "measurements": {marker(): {"value": 1, "unit": marker()}},
    }
