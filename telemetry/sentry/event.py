"""Events and transactions by the policy: which of their parts are a schema, and which are the application's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from telemetry.pii import Item

# Neither variables nor lines of source.
_FRAME = frozenset({"abs_path", "colno", "filename", "function", "in_app", "lineno", "module"})
_RAISED = frozenset({
    "crashed", "current", "id", "main", "mechanism", "module", "name", "stacktrace", "state", "thread_id", "type",
    "value",
})  # fmt: skip
# No `data`: what the application gave with it.
_MECHANISM = frozenset({
    "description", "exception_id", "handled", "help_link", "is_exception_group", "meta", "parent_id", "source",
    "synthetic", "type",
})  # fmt: skip
# No `params`: they are rows and names, one after the other, and nothing says which is which.
_LOGENTRY = frozenset({"formatted", "message"})
# Its `name` names no person.
_SDK = frozenset({"integrations", "name", "packages", "version"})
# Body, cookies, query string and environment stay out: what is private in them has no form.
_REQUEST = frozenset({"headers", "method", "url"})
# What says who it was, as the policy calls it.
_WHO = {"id": "user.id", "ip_address": "client.address"}
# What holds a query by Sentry's names (small letters), as the policy calls it. A fragment is for nobody either.
_QUERIES = {"url": "url.full", "referer": "url.full", "http.query": "url.query", "http.fragment": "url.query"}
_CONTEXT = "pii"
# How many findings an event tells of itself.
_TOLD = 50


class Findings(dict[str, list[str]]):
    """Which rules hit in an event and where. Its type tells it from a context that the application calls the same."""


def scrub_event(item: Item, event: dict[str, Any]) -> dict[str, Any]:
    """Give an event or a transaction without what is sensitive, and with the rules that hit and where.

    Args:
        item: the walk.
        event: as the SDK serialised it: of mappings, lists, texts and numbers.
    """
    scrubbed: dict[str, Any] = {}
    for name, part in event.items():
        how = _PARTS.get(name)
        if how is None or part is None:
            scrubbed.update(item.mapping({name: part}, "event"))
        else:
            scrubbed[name] = how(item, part, name)
    if item.found:
        contexts = scrubbed.get("contexts") or {}
        before = contexts.get(_CONTEXT)
        told = list(before["redactions"]) if isinstance(before, Findings) else []
        told += item.told
        scrubbed["contexts"] = {**contexts, _CONTEXT: Findings(redactions=list(dict.fromkeys(told))[:_TOLD])}
    return scrubbed


def scrub_crumb(item: Item, crumb: Any, where: str = "breadcrumb") -> dict[str, Any]:  # noqa: ANN401
    """Give a breadcrumb without what is sensitive.

    Args:
        item: the walk.
        crumb: as the SDK serialised it.
        where: its place in the event.
    """
    return _keyed(item, crumb, where, "data")


def scrub_bag(item: Item, bag: Any, where: str) -> Any:  # noqa: ANN401 - whatever the application put there
    """Scrub the application's own by value rules and key rules, and its URLs and queries as the policy's.

    Args:
        item: the walk.
        bag: a mapping, or pairs.
        where: its place in the event.
    """
    bag = _as_mapping(bag)
    if isinstance(bag, dict):
        known = {name: key for name in bag if isinstance(name, str) and (key := _QUERIES.get(name.lower()))}
        bag = {**bag, **{name: item.mapping({key: bag[name]}, where)[key] for name, key in known.items()}}
    return item.value(bag, where)


def _keyed(item: Item, part: dict[str, Any], where: str, *bags: str) -> dict[str, Any]:
    """Scrub a part none of whose fields is called like what is sensitive; a foreign field may be."""
    scrubbed = dict(item.mapping({name: value for name, value in part.items() if name not in bags}, where))
    scrubbed.update((name, scrub_bag(item, part[name], f"{where}.{name}")) for name in bags if name in part)
    return scrubbed


def _as_mapping(bag: Any) -> Any:  # noqa: ANN401 - Sentry takes pairs in the place of a mapping
    return dict(bag) if isinstance(bag, list) else bag


def _raised(item: Item, raised: dict[str, Any], where: str) -> dict[str, Any]:
    told = _only(raised, _RAISED)
    if told.get("stacktrace"):
        frames = told["stacktrace"].get("frames") or ()
        told["stacktrace"] = {"frames": [_only(frame, _FRAME) for frame in frames]}
    if told.get("mechanism"):
        told["mechanism"] = _only(told["mechanism"], _MECHANISM)
    return dict(item.by_value(told, where))


def _only(part: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name in names}


def _schema(names: frozenset[str]) -> Callable[[Item, Any, str], Any]:
    """Give what scrubs the known fields of a part, and leaves the others out."""
    return lambda item, part, where: item.by_value(_only(part, names), where)


def _values(how: Callable[[Item, Any, str], Any]) -> Callable[[Item, Any, str], Any]:
    """Give what scrubs a list, bare or as `values`."""

    def scrub(item: Item, part: Any, where: str) -> Any:  # noqa: ANN401 - one of the two
        entries = part.get("values") if isinstance(part, dict) else part
        return {"values": [how(item, entry, f"{where}.values.{place}") for place, entry in enumerate(entries or ())]}

    return scrub


def _spans(item: Item, spans: list[dict[str, Any]], where: str) -> list[dict[str, Any]]:
    return [_keyed(item, span, f"{where}.{place}", "data", "tags") for place, span in enumerate(spans)]


def _request(item: Item, request: dict[str, Any], where: str) -> dict[str, Any]:
    told = _only(request, _REQUEST)
    if "url" in told:
        told["url"] = str(told["url"]).partition("?")[0].partition("#")[0]
    return _keyed(item, told, where, "headers")


def _user(item: Item, user: dict[str, Any], where: str) -> dict[str, Any]:
    scrubbed: dict[str, Any] = {}
    for name, value in user.items():
        if name in _WHO:
            scrubbed[name] = item.mapping({_WHO[name]: value}, where).get(_WHO[name])
        else:
            scrubbed.update(item.mapping({name: value}, where))
    return scrubbed


def _contexts(item: Item, contexts: dict[str, Any], where: str) -> dict[str, Any]:
    scrubbed: dict[str, Any] = {}
    for name, context in contexts.items():
        if isinstance(context, Findings):
            scrubbed[name] = context
        elif name == "trace" and isinstance(context, dict):
            scrubbed[name] = _keyed(item, context, f"{where}.{name}", "data")
        else:
            scrubbed.update(item.mapping({name: context}, where))
    return scrubbed


_PARTS: dict[str, Callable[[Item, Any, str], Any]] = {
    "breadcrumbs": _values(scrub_crumb),
    "contexts": _contexts,
    "exception": _values(_raised),
    "extra": scrub_bag,
    "logentry": _schema(_LOGENTRY),
    "request": _request,
    "sdk": _schema(_SDK),
    "spans": _spans,
    "stacktrace": lambda item, part, where: _raised(item, {"stacktrace": part}, where)["stacktrace"],
    "tags": scrub_bag,
    "threads": _values(_raised),
    "user": _user,
}
