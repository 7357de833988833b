"""Which route a request is for, before the router has run.

Rejections of the outer layers need the route's template too, as label and for its rate limit. FastAPI wraps
included routers since 0.137, which breaks naive look-ups (prometheus-fastapi-instrumentator#370,
slowapi#281): the framework's own flattening is used here, and mounts are entered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, compile_path

from telemetry import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.routing import BaseRoute


_NAMED_GROUP = re.compile(r"\(\?P<[^>]*>")


class RouteTemplate(NamedTuple):
    """A route as it is known outside: path template, methods (None: any) and the framework's own object."""

    path: str
    methods: frozenset[str] | None
    route: Any


def templates(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[RouteTemplate]:
    """Give every route below `routes`, included and mounted ones, with its whole path template.

    Args:
        routes: an application's or router's routes.
        prefix: path template of the mount they stand under.
    """
    for context in iter_route_contexts(routes):
        original = context.original_route
        path = prefix + (context.path or "")
        if isinstance(original, Mount):
            inner = list(templates(original.routes or [], path))
            yield from inner
            if not inner:
                yield RouteTemplate(path + "/{path:path}", None, original)
        elif context.path is not None:
            methods = context.methods
            yield RouteTemplate(path, None if methods is None else frozenset(methods), context)


class RouteTable:
    """Finds the template of a path; the first route wins, as in the router.

    Args:
        routes: the application's routes.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self.templates = tuple(templates(routes))
        self._static: dict[str, str] = {}
        self._shown: list[str] = [names.UNMATCHED_ROUTE]
        patterns: list[str] = []
        for path in dict.fromkeys(template.path for template in self.templates):
            pattern, shown, convertors = compile_path(path)
            if convertors:
                # One alternative a route, numbered in the router's order, its parameters' names left out.
                patterns.append("(" + _NAMED_GROUP.sub("(?:", pattern.pattern) + ")")
                self._shown.append(shown)
            elif not any(re.match(earlier, path) for earlier in patterns):
                self._static[path] = shown
        self._match = re.compile("|".join(patterns) or r"(?!)").match

    def resolve(self, path: str) -> str:
        """Give the template for a request's path (without the root path), or `unmatched`."""
        found = self._static.get(path)
        if found is not None:
            return found
        match = self._match(path)
        return self._shown[match.lastindex or 0] if match else names.UNMATCHED_ROUTE
