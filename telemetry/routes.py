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
    from collections.abc import Iterable, Iterator, Sequence

    from starlette.routing import BaseRoute


_NAMED_GROUP = re.compile(r"\(\?P<[^>]*>")


class RouteTemplate(NamedTuple):
    """A route as it is known outside: path template, methods (None: any) and the framework's own object."""

    path: str
    methods: frozenset[str] | None
    route: Any

    @property
    def shown(self) -> str:
        """The path as labels and decisions know it: `{name:path}` is `{name}`."""
        return compile_path(self.path)[1]


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
        else:
            methods = context.methods
            yield RouteTemplate(path, None if methods is None else frozenset(methods), context)


class RouteTable:
    """Finds the template of a request's path as the router would: the first route that takes path and method wins.

    But for a final newline, which Starlette's `$` overlooks: such a path is `unmatched`.

    Args:
        routes: the application's routes.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self.templates = tuple(template for template in templates(routes) if template.path)  # a `Host` has none
        methods = {method for template in self.templates for method in template.methods or ()}
        self._by_method = {
            method: _Paths(t.path for t in self.templates if t.methods is None or method in t.methods)
            for method in methods
        }
        self._any_method = _Paths(template.path for template in self.templates)

    def resolve(self, method: str, path: str) -> str:
        """Give the template for a request, or `unmatched`; a path whose method has no route gives its first (405).

        Args:
            method: as it was received.
            path: without the root path.
        """
        paths = self._by_method.get(method)
        found = paths.resolve(path) if paths is not None else None
        if found is None:
            found = self._any_method.resolve(path)
        return names.UNMATCHED_ROUTE if found is None else found


class _Paths:
    """Path templates in the router's order: those without parameters in a dictionary, the others in one pattern."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._static: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        patterns: list[str] = []
        for path in dict.fromkeys(paths):
            pattern, shown, convertors = compile_path(path)
            if convertors:
                # One named alternative a route, its parameters' own names left out: they may repeat.
                name = f"route{len(patterns)}"
                exact = pattern.pattern.removesuffix("$") + r"\Z"
                patterns.append(f"(?P<{name}>{_NAMED_GROUP.sub('(?:', exact)})")
                self._shown[name] = shown
            elif not any(re.match(earlier, path) for earlier in patterns):
                self._static[path] = shown
        self._match = re.compile("|".join(patterns) or r"(?!)").match

    def resolve(self, path: str) -> str | None:
        found = self._static.get(path)
        if found is not None:
            return found
        match = self._match(path)
        return self._shown[match.lastgroup or ""] if match else None
