"""Reads policy files: TOML in, data out, and every mistake said with file, rule, position and reason."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from telemetry.pii import iban
from telemetry.pii.model import KeyRule, Policy, PolicyError, ValueRule
from telemetry.pii.subset import check

if TYPE_CHECKING:
    from collections.abc import Iterable

OWN_POLICY = Path(__file__).with_name("policy.toml")
_PART = re.compile(r"<([a-z_]+)>")
_TABLES = {"parts", "value_rules", "key_rules", "resource", "query", "iban"}
_WORDS = re.compile(r"[A-Za-z0-9]+(?:[ ._-][A-Za-z0-9]+)*")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LAYOUT = re.compile(r"(?:[0-9]{1,2}[nac])+")
_TEXTS = ("literals", "necessary", "exempt_keys", "examples", "innocent", "words", "owners", "match")
_VALUE_FIELDS = {
    "name", "kind", "reason", "match", "keep_before", "keep_after", "literals", "necessary", "exempt_keys", "action",
    "examples", "innocent",
}  # fmt: skip
_KEY_FIELDS = {"name", "kind", "reason", "place", "words", "owners", "action", "examples", "innocent"}
_CHOICES: dict[str, dict[str, tuple[str, ...]]] = {
    "value_rules": {"action": ("redact", "pseudonym")},
    "key_rules": {"action": ("redact", "pseudonym", "drop"), "place": ("last_words", "owned", "whole", "below")},
}


@dataclass
class _Draft:
    parts: dict[str, str] = field(default_factory=dict)
    value_rules: dict[str, ValueRule] = field(default_factory=dict)
    key_rules: dict[str, KeyRule] = field(default_factory=dict)
    resource_keys: set[str] = field(default_factory=set)
    query_keys: dict[str, str] = field(default_factory=dict)


def read_policy(*more: Path) -> Policy:
    """Read the policy.

    Args:
        more: files of the user's own; each adds to what stands before, and a rule of the same name replaces one.

    Raises:
        PolicyError: one line with file, rule, position and reason.
    """
    draft = _Draft()
    digest = hashlib.sha256()
    for path in (OWN_POLICY, *more):
        content = _content(path)
        digest.update(content)
        _File(path, content).add_to(draft)
    return Policy(
        value_rules=tuple(draft.value_rules.values()),
        key_rules=tuple(draft.key_rules.values()),
        resource_keys=frozenset(draft.resource_keys),
        query_keys=tuple(sorted(draft.query_keys.items())),
        digest=digest.hexdigest(),
    )


def _content(path: Path) -> bytes:
    try:
        # A pipe may never end, and to open one may never return.
        if path.exists() and not path.is_file():
            raise PolicyError(f"{path}: it is not a regular file")
        return path.read_bytes()
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}") from error


class _File:
    """One file; knows where in it a mistake is."""

    def __init__(self, path: Path, content: bytes) -> None:
        self._path = path
        try:
            self._text = content.decode()
            self._tables: dict[str, Any] = tomllib.loads(self._text)
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise PolicyError(f"{path}: {error}") from error
        except RecursionError as error:
            raise PolicyError(f"{path}: nested too deep") from error

    def add_to(self, draft: _Draft) -> None:
        for table in self._tables.keys() - _TABLES:
            raise PolicyError(f"{self._path}: unknown table {table!r}; known: {', '.join(sorted(_TABLES))}")
        draft.parts.update(self._strings("parts"))
        if layouts := self._strings("iban"):
            if self._path != OWN_POLICY:
                # The rules that it would be in have been read by now.
                raise PolicyError(f"{self._path}: [iban] is the built-in policy's alone: write a value rule")
            draft.parts["iban"] = self._iban(layouts, draft.parts)
        for origin, entry in self._entries("value_rules", _VALUE_FIELDS):
            rule = _value_rule(origin, entry, draft.parts)
            draft.value_rules[rule.name] = rule
        for origin, entry in self._entries("key_rules", _KEY_FIELDS):
            draft.key_rules[entry["name"]] = _key_rule(origin, entry)
        draft.resource_keys.update(self._resource_keys())
        for name, pattern in self._strings("query").items():
            _check_pattern(f"{self._path}: [query] {name}", pattern, may_be_empty=False)
            draft.query_keys[name] = pattern

    def _resource_keys(self) -> list[str]:
        content = self._tables.get("resource", {})
        if not isinstance(content, dict) or content.keys() - {"allow"} or not _are_texts(content.get("allow", [])):
            raise PolicyError(f"{self._path}: [resource] has one field, allow: a list of names")
        allowed: list[str] = content.get("allow", [])
        return allowed

    def _strings(self, table: str) -> dict[str, str]:
        entries = self._tables.get(table, {})
        if not isinstance(entries, dict) or not _are_texts(list(entries.values())):
            raise PolicyError(f"{self._path}: [{table}] holds names and strings")
        return entries

    def _iban(self, layouts: dict[str, str], parts: dict[str, str]) -> str:
        for country, layout in layouts.items():
            if not re.fullmatch("[A-Z]{2}", country) or not _LAYOUT.fullmatch(layout):
                raise PolicyError(f"{self._path}: [iban] {country}: wants a country code and a layout such as 8n10n")
        return iban.pattern(layouts, parts.get("gap", " ?"))

    def _entries(self, table: str, fields: set[str]) -> Iterable[tuple[str, dict[str, Any]]]:
        lines = [number for number, line in enumerate(self._text.splitlines(), 1) if line.strip() == f"[[{table}]]"]
        entries = self._tables.get(table, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise PolicyError(f"{self._path}: {table} are written [[{table}]]")
        for number, entry in enumerate(entries):
            line = lines[number] if len(lines) == len(entries) else f"{table} {number + 1}"
            origin = f"{self._path}:{line}: {table[:-1].replace('_', ' ')} {entry.get('name', '?')!r}"
            _check_entry(origin, table, entry, fields)
            if any(entry["name"] == earlier["name"] for earlier in entries[:number]):
                raise PolicyError(f"{origin}: this file has an earlier rule of that name")
            yield origin, entry


def _check_entry(origin: str, table: str, entry: dict[str, Any], fields: set[str]) -> None:
    for name in entry.keys() - fields:
        raise PolicyError(f"{origin}: unknown field {name!r}; known: {', '.join(sorted(fields))}")
    own = ("place", "words") if "place" in fields else ("match",)
    for name in ("name", "kind", "reason", "examples", "innocent", *own):
        if not entry.get(name):
            raise PolicyError(f"{origin}: wants {name}")
    for name, value in entry.items():
        _check_type(origin, name, value)
    for name in ("name", "kind"):
        if not _NAME.fullmatch(entry[name]):
            raise PolicyError(f"{origin}: {name} is of lower-case letters, digits and underscores")
    for name, choices in _CHOICES[table].items():
        if entry.get(name, choices[0]) not in choices:
            raise PolicyError(f"{origin}: {name} is one of {', '.join(choices)}")


def _check_type(origin: str, name: str, value: object) -> None:
    if name in _TEXTS and not _are_texts(value):
        raise PolicyError(f"{origin}: {name} is a list of strings")
    if name not in _TEXTS and not isinstance(value, str):
        raise PolicyError(f"{origin}: {name} is a string")


def _are_texts(values: object) -> TypeGuard[list[str]]:
    return isinstance(values, list) and all(isinstance(value, str) and value for value in values)


def _value_rule(origin: str, entry: dict[str, Any], parts: dict[str, str]) -> ValueRule:
    pieces = []
    for name in ("keep_before", "match", "keep_after"):
        given = entry.get(name, [])
        alternatives = given if isinstance(given, list) else [given]
        expanded = [_expanded(origin, name, alternative, parts) for alternative in alternatives]
        for number, piece in enumerate(expanded, 1):
            where = f"{origin}: {name}" + (f" {number}" if len(expanded) > 1 else "")
            _check_pattern(where, piece, may_be_empty=name != "match")
        opening = "(?:" if name == "match" else "("
        pieces.append(f"{opening}{'|'.join(expanded)})")
    texts = {name: tuple(entry[name]) for name in ("literals", "examples", "innocent") if name in entry}
    necessary = tuple(_expanded(origin, "necessary", pattern, parts) for pattern in entry.get("necessary", ()))
    for number, pattern in enumerate(necessary, 1):
        _check_pattern(f"{origin}: necessary {number}", pattern, may_be_empty=False)
    return ValueRule(
        name=entry["name"],
        kind=entry["kind"],
        reason=entry["reason"],
        pattern="".join(pieces),
        kept_before=(1,),
        kept_after=(2,),
        necessary=necessary,
        exempt_keys=frozenset(entry.get("exempt_keys", ())),
        action=entry.get("action", "redact"),
        origin=origin,
        **texts,
    )


def _check_pattern(where: str, pattern: str, *, may_be_empty: bool) -> None:
    try:
        # What is kept on a side may well be empty, as a boundary is.
        check(f"(?:{pattern})x" if may_be_empty else pattern)
    except PolicyError as error:
        raise PolicyError(f"{where}: {error}") from error


def _expanded(origin: str, name: str, pattern: str, parts: dict[str, str], depth: int = 0) -> str:
    def part(match: re.Match[str]) -> str:
        if depth > len(parts):
            raise PolicyError(f"{origin}: {name}: the part {match[1]!r} holds itself")
        if match[1] not in parts:
            raise PolicyError(f"{origin}: {name} position {match.start() + 1}: no part {match[1]!r} in [parts]")
        inner = _expanded(origin, name, parts[match[1]], parts, depth + 1)
        in_class = pattern.rfind("[", 0, match.start()) > pattern.rfind("]", 0, match.start())
        return inner if in_class or _is_one(inner) else f"(?:{inner})"

    return _PART.sub(part, pattern)


def _is_one(pattern: str) -> bool:
    return pattern.startswith("(?:") and pattern.endswith(")") and pattern.count("(") == 1


def _key_rule(origin: str, entry: dict[str, Any]) -> KeyRule:
    for word in (*entry["words"], *entry.get("owners", ())):
        if not _WORDS.fullmatch(word):
            raise PolicyError(f"{origin}: {word!r}: words are of letters and digits, with one of ' ._-' between two")
    texts = {name: tuple(entry[name]) for name in ("words", "owners", "examples", "innocent") if name in entry}
    return KeyRule(
        name=entry["name"],
        kind=entry["kind"],
        reason=entry["reason"],
        place=entry["place"],
        action=entry.get("action", "redact"),
        origin=origin,
        **texts,
    )
