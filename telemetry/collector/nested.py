"""Values that are no texts: arrays, maps, bytes and long numbers, which OTTL's rules do not look into.

They are looked at as the JSON that the collector itself makes of them. What something sensitive was found in becomes
that text, scrubbed; everything else keeps its type. OTTL has no loop: which of an item's values are to be replaced is
found out by turning all of them into marks, the map into JSON, and taking the unmarked out of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.collector.marks import MAP, RESERVED, UNSCRUBBABLE, is_hit
from telemetry.collector.members import between_quotes, between_signs
from telemetry.collector.ottl import literal, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Flattening compares the path of each value with all before: no more values (here: commas), or it would take minutes.
_MANY: Final = 1_000
_LEVELS: Final = 16
# As much text of one value as Python looks at (here in bytes).
LONGEST: Final = 262_144
CUT: Final = "\x00cut"
# The item's values as they came; what becomes of those that are no texts; and what was found of it.
_ORIGINAL: Final = 'cache["z"]'
AS_JSON: Final = 'cache["y"]'
_FOUND: Final = 'cache["d"]'
_LEAVES: Final = 'cache["t"]'
_MARKS: Final = 'cache["m"]'
_JSON: Final = 'cache["s"]'
_WHOLE: Final = 'cache["w"]'
_ONCE: Final = 'cache["u"]'
_NUMBER: Final = 'cache["q"]'
# Set where no array and no map can be looked into: too many values, too many levels, a key twice.
_OPAQUE: Final = 'cache["b"]'
# Set where it was tried.
_INTO: Final = 'cache["in"]'
_NAN: Final = 'cache["nan"]'
_NONE: Final = f"{RESERVED}none"
# In `HITS`: the item has such values.
NAME: Final = "others."
_STRING: Final = "\x04"
_NO_TEXT: Final = "\ufffd"
# A member of the JSON of the marks that is none, and what all of those become.
_UNMARKED: Final = r'"(?:[^"\\]|\\.)*":""'
_AS_NONE: Final = f'"{_NONE}":""'
_BASE64: Final = "[A-Za-z0-9+/]"
_IN_JSON: Final = ')"([,\\]}])'
_MASKED: Final = f'"{UNSCRUBBABLE}"${{1}}'
# Bytes are written as base64; a number, true and the like are not, but for a number of four digits or eight.
_BYTES_TEXT: Final = f"{_BASE64}*[A-Za-z+/]{_BASE64}*={{0,2}}"
_WORDS: Final = "^(?:true|false|NaN|-?Infinity|-?[0-9.]+e[+-]?[0-9]+)$"

# An item's values with every text cut to one character: what is longer then is none, and says what it is.
SHORT: Final = 'cache["n"]'


def _unlike(words: tuple[str, ...]) -> str:
    """Give the pattern of what begins like one of some words and is not it."""
    begun = {word[:length] for word in words for length in range(1, len(word))}
    told = []
    for beginning in sorted(begun):
        followed = "".join(sorted({word[len(beginning)] for word in words if word.startswith(beginning)}))
        told.append(f"{beginning}[^\x02{followed}]")
    return "|".join((*told, *(f"{word}[^\x02]" for word in words)))


# An array or a map, nothing, bytes, or a number so long that it may be somebody's.
OTHERS: Final = (
    "\x01(?:"
    + "|".join(
        (
            r"[\[{][^\x02]",
            r"\x02",
            r"[^\x02\[{tfNI0-9-][^\x02]",
            _unlike(("true", "false", "NaN", "Infinity")),
            r"[0-9]+[A-Za-df-z+/]",
            r"[0-9]+e[^+\x02-]",
            r"-?[0-9.]{9}",
        )
    )
    + ")"
)


def _replace(mapping: str, pattern: str, told: str, where: str = "") -> str:
    condition = f" where {where}" if where else ""
    return f'replace_all_patterns({mapping}, "value", {literal(pattern)}, {literal(told)}){condition}'


def _select(target: str, source: str, pattern: str) -> tuple[str, ...]:
    """Set a map to the members of another one, all of them texts, whose values a pattern is found in."""
    return (
        f"set({_MARKS}, {source})",
        _replace(_MARKS, f"(?s)^.*(?:{pattern}).*$", "\x03"),
        _replace(_MARKS, "(?s)^(?:[^\x03].*)?$", ""),
        f"set({_JSON}, String({_MARKS}))",
        f"replace_pattern({_JSON}, {literal(_UNMARKED)}, {literal(_AS_NONE)})",
        f"set({target}, ParseJSON({_JSON}))",
        f"delete_key({target}, {literal(_NONE)})",
        f'merge_maps({target}, {source}, "update")',
    )


# Of a key that is there twice JSON tells one. `append` takes what it appends to apart and puts it together again, and
# what is equal to that had no such key, at no depth.
_REFUSE_DOUBLES: Final = (
    f'set({_LEAVES}, Values({_WHOLE}["m"]))',
    f"set({_ONCE}, {_LEAVES})",
    f"append({_ONCE}, values=[])",
    f"set({_OPAQUE}, true) where {_LEAVES} != {_ONCE}",
)
# How many values there are by their JSON: as many must have a path.
_COUNT: Final = (
    f"set({_NUMBER}, String({_WHOLE}))",
    *(
        f"replace_pattern({_NUMBER}, {literal(what)}, {literal(told)})"
        for what, told in ((r'"(?:[^"\\]|\\.)*"', "s"), ("s:", ""), (r"[^,\[\]{}]+", "s"), (r"[,\[\]{}]+", ""))
    ),
)
# What is in arrays and maps, by its path. Of bytes within them JSON makes strings, and base64 looks like a word;
# but here, once every string is the same one, they are what is left, and a pattern is made of them. It is of base64
# alone, and cannot fail. What is not flattened is not looked into.
_LOOK_INTO: Final = (
    f'set({_LEAVES}, {_WHOLE}["m"])',
    f'replace_all_patterns({_LEAVES}, "key", "[.]", "\\x07")',
    f"flatten({_LEAVES}, depth={_LEVELS})",
    *_COUNT,
    f"set({_OPAQUE}, true) where Len({_LEAVES}) != Len({_NUMBER})",
    _replace(_LEAVES, "(?s)^.*$", _STRING),
    f"stringify_all({_LEAVES})",
    _replace(_LEAVES, _WORDS, ""),
    f'set({_OPAQUE}, true) where IsMatch(ToKeyValueString({_LEAVES}, "\\x01", "\\x02"), "\\x01[{{\\\\[][^\\x02]")',
    _replace(_LEAVES, f"^({_BYTES_TEXT})$", "\x05${1}"),
    _replace(_LEAVES, "(?s)^(?:[^\x05].*)?$", ""),
    _replace(_LEAVES, "^\x05", ""),
    f"set({_FOUND}, String(Values({_LEAVES})))",
    *(
        f"replace_pattern({_FOUND}, {literal(what)}, {literal(told)})"
        for what, told in (('[\\[\\]"]', ""), ("^,+|,+$", ""), (",+", "|"), ("[+]", "[+]"))
    ),
    f'set({_FOUND}, Concat(["\\"(?:", {_FOUND}, {literal(_IN_JSON)}], "")) where {_FOUND} != ""',
    f'replace_all_patterns({AS_JSON}, "value", {_FOUND}, {literal(_MASKED)}) where {_FOUND} != ""',
)

_JSON_OF_ALL: Final = (
    f'set({_WHOLE}, ParseJSON("{{}}"))',
    f'set({_WHOLE}["m"], {AS_JSON})',
    f'set({_JSON}, ToKeyValueString({_WHOLE}, "\\x01", "\\x02"))',
)
_NO_JSON: Final = literal("m\x01")
_WITHOUT_NAN: Final = (
    f"set({_LEAVES}, {AS_JSON})",
    f"stringify_all({_LEAVES})",
    *_select(_FOUND, _LEAVES, "^(?:NaN|-?Infinity)$"),
    f'merge_maps({_WHOLE}["m"], {_FOUND}, "update")',
)

_BEFORE: Final = (
    # Of a key that is there twice only the first would be replaced; and JSON has no bytes that are no text.
    f'set({_ORIGINAL}, ParseJSON("{{}}"))',
    f'merge_maps({_ORIGINAL}, {MAP}, "upsert")',
    f'replace_all_patterns({_ORIGINAL}, "key", {literal(_NO_TEXT)}, {literal(_NO_TEXT)})',
    f"set({MAP}, {_ORIGINAL})",
    f"set({AS_JSON}, {_ORIGINAL})",
    # One string in the place of all strings, or they would be taken for what was made of other values.
    _replace(AS_JSON, "(?s)^.*$", _STRING),
    # JSON knows no NaN: a map or an array that holds one would be no text at all, and cannot be looked into. One that
    # stands alone is no harm.
    *_JSON_OF_ALL,
    f"set({_NAN}, true) where {_JSON} == {_NO_JSON}",
    *(where(f"{_NAN} == true", statement) for statement in (*_WITHOUT_NAN, *_JSON_OF_ALL[2:])),
    f"set({_OPAQUE}, true) where {_JSON} == {_NO_JSON}",
    f'set({_OPAQUE}, true) where Len(Split({_JSON}, ",")) > {_MANY}',
    *(where(f"{_OPAQUE} == nil", statement) for statement in _REFUSE_DOUBLES),
    f"stringify_all({AS_JSON})",
    # What was redacted before is no finding: the mark is one that every rule takes for a part of a placeholder.
    _replace(AS_JSON, "(\\[REDACTED:[a-z0-9_:]+)\\]", "${1}::]"),
    _replace(AS_JSON, "^$", UNSCRUBBABLE, f"{_OPAQUE} == true"),
    _replace(AS_JSON, "^$", _STRING),
    f"truncate_all({AS_JSON}, {LONGEST}, true, {literal(CUT)})",
    _replace(AS_JSON, f"(?s)^.*{CUT}$", UNSCRUBBABLE),
    _replace(AS_JSON, _WORDS, "0"),
    _replace(AS_JSON, f"^{_BYTES_TEXT}$", UNSCRUBBABLE),
    f"set({_INTO}, true) where {_OPAQUE} == nil",
    *(where(f"{_INTO} == true", statement) for statement in _LOOK_INTO),
    _replace(AS_JSON, "(?s)^[{\\[][^R].*$", UNSCRUBBABLE, f"{_OPAQUE} == true"),
    *between_signs(AS_JSON),
)

_BEHIND_MEMBERS: Final = (
    # A text begins and ends as one, and a pair within a list is known by the bracket before it.
    *between_quotes(AS_JSON),
    _replace(AS_JSON, '=":', '=;":'),
    _replace(AS_JSON, "^\\[([^R])", "[[${1}"),
    *_select(_FOUND, AS_JSON, f"[^{_STRING}]"),
    f'merge_maps({MAP}, {_FOUND}, "update")',
)

_AFTER: Final = (
    f'merge_maps({_FOUND}, {MAP}, "update")',
    f"set({AS_JSON}, {_FOUND})",
    _replace(AS_JSON, "^\\[\\[", "["),
    _replace(AS_JSON, '";', '"'),
    _replace(AS_JSON, ';"', '"'),
    # A map under a name that says what it holds, of more levels than the pattern of members knows.
    _replace(AS_JSON, "(?s)^.*\\[REDACTED:field\\][{\\[].*$", UNSCRUBBABLE),
    # All of them as they came, and then those in which something was found.
    f'merge_maps({_FOUND}, {_ORIGINAL}, "update")',
    f'merge_maps({MAP}, {_FOUND}, "update")',
    *_select(_FOUND, AS_JSON, "\\[REDACTED:[a-z0-9_]+(?::h[0-9a-f]+)?\\]"),
    _replace(_FOUND, "(\\[REDACTED:[a-z0-9_:]+)::\\]", "${1}]"),
    f'merge_maps({MAP}, {_FOUND}, "update")',
)


def before(members: Iterable[str]) -> Iterator[str]:
    """Give the statements that make texts of them in `MAP`, before the rules.

    Args:
        members: statements that replace members of maps, in `AS_JSON` between the signs of `members`.
    """
    for statement in (*_BEFORE, *members, *_BEHIND_MEMBERS):
        yield where(is_hit(NAME), statement)


AFTER: Final = tuple(where(is_hit(NAME), statement) for statement in _AFTER)
"""Give those back in which nothing was found, behind the rules."""
