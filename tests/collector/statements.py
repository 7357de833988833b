"""Reads what is generated back: groups of statements, and which entries of the cache a statement relies on."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_STRING = re.compile(r'(?:\w+\.)?cache\["(?P<entry>[^"\\]+)"\]|"(?:\\.|[^"\\])*"')
_ENTRY = re.compile(r"<([^<>]+)>")
# What may be asked of an entry that is not there, and says by its answer that it is.
_ASKED = re.compile(r'<([^<>]+)> (==|!=) (nil|true|""|<[^<>]+>)')
_PRESENT = {("!=", "nil"), ("==", "true")}


@dataclass(frozen=True)
class Group:
    """Statements that the collector runs over the items of a context."""

    signal: str
    context: str
    conditions: list[str]
    statements: list[str]


def groups(processor: str) -> list[Group]:
    """Reads the generated processor: its scalars are JSON, and statements with an anchor are referred to."""
    found: list[Group] = []
    anchors: dict[str, list[str]] = {}
    signal = ""
    for line in processor.splitlines()[2:]:
        match line.split(maxsplit=2):
            case [name] if name.endswith("_statements:"):
                signal = name.removesuffix(":")
            case ["-", "context:", context]:
                found.append(Group(signal, context, [], []))
            case ["conditions:", *_]:
                found[-1].conditions.extend(map(unescaped, json.loads(line.split(maxsplit=1)[1])))
            case ["statements:", anchor] if anchor.startswith("&"):
                anchors[anchor[1:]] = found[-1].statements
            case ["statements:", alias]:
                found[-1].statements.extend(anchors[alias[1:]])
            case _:
                found[-1].statements.append(unescaped(json.loads(line.strip().removeprefix("- "))))
    return found


def unescaped(scalar: str) -> str:
    """Returns what is left once the collector has expanded variables; there must be none."""
    assert re.sub(r"\$\$", "", scalar).count("$") == 0, scalar
    return scalar.replace("$$", "$")


def unguarded(statements: Iterable[str]) -> Iterator[str]:
    """Gives each statement that may look at an entry of the cache that is not there, with the entry.

    An entry is there behind a statement that sets it, if that one has no conditions that this one does not ask before
    it looks; and behind a condition of this one which only holds if it is. Merely to compare an entry is no look.
    """
    set_under: dict[str, list[set[str]]] = {}
    for statement in statements:
        editor, conditions = _parts(statement)
        asked: set[str] = set()
        present: set[str] = set()
        for part in (*conditions, editor):
            comparison = _ASKED.fullmatch(part)
            target = re.match(r"set\(<([^<>]+)>, ", part) if part is editor else None
            looked_at = set(_ENTRY.findall(_ASKED.sub("", part[target.end() :] if target else part)))
            yield from (
                f"{entry}: {statement}"
                for entry in sorted(looked_at - present)
                if not any(under <= asked for under in set_under.get(entry, ()))
            )
            if comparison and comparison.group(2, 3) in _PRESENT:
                present.add(comparison[1])
            asked.add(part)
        if target:
            set_under.setdefault(target[1], []).append(set(conditions))


def _parts(statement: str) -> tuple[str, list[str]]:
    """Gives the editor and the conditions that must all hold, with `<a>` for an entry and no sign of ours in a text."""

    def told(found: re.Match[str]) -> str:
        return f'"{found[0][1:-1].encode().hex()}"' if found["entry"] is None else f"<{found['entry']}>"

    editor, _, rest = _STRING.sub(told, statement).partition(" where ")
    return editor, list(_split(rest)) if rest else []


def _split(conditions: str) -> Iterator[str]:
    depth, begun = 0, 0
    for at, char in enumerate(conditions):
        depth += (char == "(") - (char == ")")
        if depth == 0 and conditions.startswith(" and ", at):
            yield conditions[begun:at]
            begun = at + len(" and ")
    yield conditions[begun:]
