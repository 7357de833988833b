"""Query strings: who asked for what is told by the names; the values stay out, but for a few that say nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Attributes that hold a query alone, and those that hold a URL with one (HTTP semantic conventions, old and new).
QUERY_KEYS = frozenset({"url.query"})
URL_KEYS = frozenset({"url.full", "http.url", "http.target"})
WITH_QUERY = QUERY_KEYS | URL_KEYS
HIDDEN = "[REDACTED:query]"
_PAIR = re.compile("[^&;]+")


def hide_values(key: str, text: str, allowed: Mapping[str, re.Pattern[str]]) -> str:
    """Give a query or a URL whose query has no values, the allowed ones excepted.

    Args:
        key: one of `QUERY_KEYS` or `URL_KEYS`.
        text: the attribute's value; without a query it is returned itself.
        allowed: names whose values may be told, each with the pattern of the whole value.
    """
    if key in QUERY_KEYS:
        return _hidden(text, allowed)
    # A fragment is never sent to a server; one that is here was meant for nobody.
    path, mark, query = text.partition("#")[0].partition("?")
    return f"{path}{mark}{_hidden(query, allowed)}"


def _hidden(query: str, allowed: Mapping[str, re.Pattern[str]]) -> str:
    return _PAIR.sub(lambda pair: _shown(pair, allowed), query)


def _shown(pair: re.Match[str], allowed: Mapping[str, re.Pattern[str]]) -> str:
    name, mark, value = pair[0].partition("=")
    form = allowed.get(name)
    if (mark and not value) or (form is not None and form.fullmatch(value)):
        return pair[0]
    # Without a mark it is a value of its own.
    return f"{name}={HIDDEN}" if mark else HIDDEN
