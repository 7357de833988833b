"""Fewer questions about many literals: pieces of which one is in each of them, and which few texts have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# Fewer literals are asked for as they are.
_MANY: Final = 6
_SHORTEST: Final = 3
# What is in ordinary items tells nothing: names of attributes, and the most usual endings of words.
_ORDINARY: Final = (
    "client.address client.port code.file.path code.function.name code.line.number container.id db.collection.name "
    "db.namespace db.operation.name db.query.summary db.query.text db.response.returned_rows db.system.name "
    "deployment.environment.name error.type exception.message exception.stacktrace exception.type "
    "gen_ai.operation.name gen_ai.provider.name gen_ai.request.model gen_ai.response.finish_reasons host.name "
    "http.request.method http.request.body.size http.response.status_code http.route log.level "
    "messaging.destination.name network.peer.port network.protocol.version network.transport rpc.service "
    "server.address server.port service.instance.id service.name service.version telemetry.sdk.language thread.id "
    "thread.name url.full url.path url.query url.scheme user_agent.original traceback (most recent call last): "
    "connection application identifier management process character parameter entity api data update created"
)


def cover(literals: Collection[str]) -> frozenset[str]:
    """Give pieces of which one is in each literal; the literals themselves where that would not be fewer by half.

    Args:
        literals: in lower case, or as they are.
    """
    if len(literals) < _MANY:
        return frozenset(literals)
    left, chosen = set(literals), set[str]()
    while left:
        found: dict[str, set[str]] = {}
        for text in left:
            for piece in (text, *_pieces(text)):
                found.setdefault(piece, set()).add(text)
        best = max(found, key=lambda piece: (len(found[piece]), len(piece), piece))
        chosen.add(best)
        left -= found[best]
    return frozenset(chosen) if len(chosen) * 2 <= len(literals) else frozenset(literals)


def _pieces(text: str) -> Iterator[str]:
    for start in range(len(text)):
        for end in range(start + _SHORTEST, len(text) + 1):
            if text[start:end].lower() not in _ORDINARY:
                yield text[start:end]
