"""The statements of each OTTL context: a look at every item, and what is done where something may be sensitive.

Statements are run group by group, each over all items, with a cache that lasts for one item in one group. The first
group looks and marks; the groups behind it run for the marked only. What is no attribute (names, messages, a log's
body) is scrubbed as one, under a key of ours. No statement may fail, whatever an item holds: with
`error_mode: propagate` its whole request would be refused, and sent again for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telemetry.collector import nested, odd_keys
from telemetry.collector.clauses import KEYS, TEXT, WITHOUT_EXEMPT
from telemetry.collector.gates import BEFORE_SHORT
from telemetry.collector.looking import folded_text, text_of, wordless_text
from telemetry.collector.marks import HITS, MAP, NO_HITS, OURS, RESERVED, UNSCRUBBABLE, WEAKER, hit
from telemetry.collector.ottl import any_of, literal, where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telemetry.collector.scrubbing import Scrubbing

# Key by key is compared with all before when a map is put together: more of them would take minutes.
_MOST_ATTRIBUTES: Final = 512
_MARK: Final = f"{RESERVED}hits"
_BODY: Final = literal(f"{RESERVED}body")
_MANY: Final = 'cache["o"]'
_MUCH: Final = 'cache["p"]'
# Bytes; Python's budget is as many characters.
_MOST_TEXT: Final = 1_048_576
_SHORTENED: Final = 'cache["f"]'


@dataclass(frozen=True, slots=True)
class Context:
    """What is scrubbed of the items of a context.

    Attributes:
        name: OTTL's.
        attributes: the path of the map, which also carries the marks.
        texts: paths of texts.
        body: whether it has a body, of any type.
    """

    name: str
    attributes: str = "attributes"
    texts: tuple[str, ...] = ()
    body: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Statements that are run over all items which meet the conditions.

    Attributes:
        context: OTTL's name.
        conditions: all of them are one.
        statements: in order.
    """

    context: str
    conditions: tuple[str, ...]
    statements: tuple[str, ...]


RESOURCE: Final = Context("resource", texts=("schema_url",))
SCOPE: Final = Context("scope", texts=("name", "version", "schema_url"))
TRACES: Final = (
    RESOURCE,
    SCOPE,
    Context("span", texts=("name", "status.message", "trace_state")),
    Context("spanevent", texts=("name",)),
)
LOGS: Final = (RESOURCE, SCOPE, Context("log", texts=("severity_text", "event_name"), body=True))
METRICS: Final = (
    RESOURCE,
    SCOPE,
    Context("metric", attributes="metadata", texts=("name", "description", "unit")),
    Context("datapoint"),
    Context("exemplar", attributes="filtered_attributes"),
)


def groups(context: Context, scrubbing: Scrubbing) -> tuple[Group, ...]:
    """Give a context's statements.

    Args:
        context: whose items they are for.
        scrubbing: the policy's.
    """
    return (
        Group(context.name, (_is_something(context),), tuple(_look(context, scrubbing))),
        Group(
            context.name,
            (f"{context.attributes}[{literal(_MARK)}] != nil",),
            (
                *_take(context),
                *scrubbing.fields,
                *scrubbing.odd_keys,
                *nested.before(scrubbing.members),
                *scrubbing.values,
                *nested.AFTER,
                *odd_keys.AFTER,
                *_give(context),
            ),
        ),
    )


def _is_something(context: Context) -> str:
    """Give the condition that there is anything to look at: a request may hold millions of items that are empty."""
    texts = (f'{path} != ""' for path in context.texts)
    return any_of((f"Len({context.attributes}) > 0", *texts, *(("body != nil",) if context.body else ())))


def _key(number: int) -> str:
    return literal(f"{RESERVED}{number}")


def _look(context: Context, scrubbing: Scrubbing) -> Iterator[str]:
    attributes, placeholder = context.attributes, literal(UNSCRUBBABLE)
    yield f"set({_MANY}, true) where Len({attributes}) > {_MOST_ATTRIBUTES}"
    yield f"limit({attributes}, {_MOST_ATTRIBUTES}, []) where {_MANY} == true"
    yield f"set({attributes}[{placeholder}], {placeholder}) where {_MANY} == true"
    looked_at = attributes
    if context.body:
        looked_at = MAP
        yield f"set({MAP}, {attributes})"
        yield f"set({MAP}[{_BODY}], body) where body != nil"
    yield from _set_text(TEXT, looked_at, context)
    yield f"set({WITHOUT_EXEMPT}, {TEXT})"
    exempt = [literal(key) for key in scrubbing.exempt]
    if exempt:
        found = any_of(f"{attributes}[{key}] != nil" for key in exempt)
        yield f"set({_SHORTENED}, {looked_at}) where {found}"
        yield from (f"delete_key({_SHORTENED}, {key}) where {found}" for key in exempt)
        yield from (where(found, statement) for statement in _set_text(WITHOUT_EXEMPT, _SHORTENED, context))
    yield f"delete_matching_keys({attributes}, {literal(OURS)}) where Index({TEXT}, {literal(RESERVED)}) != -1"
    yield from _refuse_much(context, looked_at)
    yield from _refuse_long(context)
    yield from folded_text()
    yield from wordless_text()
    yield f"set({_SHORTENED}, {looked_at})"
    yield f"truncate_all({_SHORTENED}, 1, false)"
    told = f'ToKeyValueString({_SHORTENED}, "\\x01", {literal(BEFORE_SHORT)})'
    yield f'set({nested.SHORT}, Concat(["", {told}, ""], {literal(BEFORE_SHORT)}))'
    yield f"set({KEYS}, ToLowerCase({nested.SHORT}))"
    yield from (f"set({listed}, {literal(NO_HITS)})" for listed in (HITS, WEAKER))
    yield from scrubbing.look
    yield hit(nested.NAME, f"IsMatch({nested.SHORT}, {literal(nested.OTHERS)})")
    told = f'Concat([{HITS}, {WEAKER}], "")'
    yield f"set({attributes}[{literal(_MARK)}], {told}) where {HITS} != {literal(NO_HITS)}"


def _set_text(text: str, mapping: str, context: Context) -> tuple[str, ...]:
    return text_of(text, mapping, *context.texts)


def _refuse_much(context: Context, looked_at: str) -> Iterator[str]:
    """Tell nothing of what has more text in it than Python looks at in one item, and look at nothing of it."""
    attributes, placeholder, much = context.attributes, literal(UNSCRUBBABLE), f"{_MUCH} == true"
    yield f"set({_MUCH}, true) where Len({TEXT}) > {_MOST_TEXT}"
    yield f'delete_matching_keys({attributes}, "") where {much}'
    yield f"set({attributes}[{placeholder}], {placeholder}) where {much}"
    if context.body:
        yield f"set(body, {placeholder}) where {much} and body != nil"
        yield f"set({MAP}, {attributes}) where {much}"
    yield from (where(much, statement) for statement in _set_text(TEXT, looked_at, context))
    yield f"set({WITHOUT_EXEMPT}, {TEXT}) where {much}"


def _refuse_long(context: Context) -> Iterator[str]:
    attributes, placeholder = context.attributes, literal(UNSCRUBBABLE)
    long = f"Len({TEXT}) > {nested.LONGEST}"
    yield f"truncate_all({attributes}, {nested.LONGEST}, true, {literal(nested.CUT)}) where {long}"
    cut = literal(f"(?s)^.*{nested.CUT}$")
    yield f'replace_all_patterns({attributes}, "value", {cut}, {placeholder}) where {long}'
    for path in context.texts:
        yield f"set({path}, {placeholder}) where {long} and Len({path}) > {nested.LONGEST}"
    if context.body:
        yield f"set(body, {placeholder}) where {long} and IsString(body) and Len(body) > {nested.LONGEST}"


def _take(context: Context) -> Iterator[str]:
    attributes, mark = context.attributes, literal(_MARK)
    yield f"set({HITS}, {attributes}[{mark}])"
    yield f"delete_key({attributes}, {mark})"
    yield f"set({MAP}, {attributes})"
    for number, path in enumerate(context.texts):
        yield f'set({MAP}[{_key(number)}], {path}) where {path} != ""'
    if context.body:
        yield f"set({MAP}[{_BODY}], body) where body != nil"


def _give(context: Context) -> Iterator[str]:
    for number, path in enumerate(context.texts):
        value = f"{MAP}[{_key(number)}]"
        if path == "trace_state":
            # A placeholder is no value by its grammar.
            yield f'set({path}, "") where {value} != nil and {value} != {path}'
        else:
            yield f"set({path}, {value}) where {value} != nil"
        yield f"delete_key({MAP}, {_key(number)})"
    if context.body:
        yield f"set(body, {MAP}[{_BODY}]) where {MAP}[{_BODY}] != nil"
        yield f"delete_key({MAP}, {_BODY})"
    yield f"set({context.attributes}, {MAP})"
