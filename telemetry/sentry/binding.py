"""Which client the SDK's own functions find: `sentry_sdk.set_tag` and its kin write to scopes, not to clients."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sentry_sdk
from sentry_sdk.scope import register_external_propagation_context, remove_external_propagation_context

from telemetry.tracing import current_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentry_sdk.client import BaseClient

_lock = threading.Lock()
# The clients of the process' applications in the order of their start, after what was bound before the first.
_bound: list[BaseClient] = []


def bind(client: BaseClient) -> None:
    """Make a client the process' one, so that what is captured outside of requests goes through its gate."""
    with _lock:
        scope = sentry_sdk.get_global_scope()
        if not _bound:
            _bound.append(scope.client)
            # OpenTelemetry's ids are on whatever is captured; nothing of it is sent to other services.
            register_external_propagation_context(_current_trace)
        _bound.append(client)
        scope.set_client(client)


def unbind(client: BaseClient) -> None:
    """Give back what `bind` took; clients of applications that still run stay."""
    with _lock:
        _bound.remove(client)
        scope = sentry_sdk.get_global_scope()
        if scope.client is client:
            scope.set_client(_bound[-1])
        if len(_bound) == 1:
            _bound.clear()
            remove_external_propagation_context()


def _current_trace() -> tuple[str, str] | None:
    ids = current_ids()
    return None if ids is None else (ids.trace_id, ids.span_id)


@contextmanager
def isolated(client: BaseClient) -> Iterator[None]:
    """Give a request its own breadcrumbs, tags, contexts and user, and its application's client."""
    with sentry_sdk.isolation_scope() as scope:
        scope.client = client  # `set_client` would also write the client's release to the process' scope
        yield
