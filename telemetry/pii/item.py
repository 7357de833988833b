"""One item on its way out: whatever it is made of is walked, within budgets, and what was found is noted."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import Enum
from operator import is_
from typing import TYPE_CHECKING, Any
from uuid import UUID

from telemetry.pii.members import members
from telemetry.pii.scrubber import UNSCRUBBABLE
from telemetry.quotations import said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telemetry.pii.scrubber import Key, Scrubber

# Beyond these a value is not looked at and therefore not told. Counts, not time: the same input, the same output.
MAX_DEPTH = 32
MAX_VALUES = 20_000
MAX_CHARACTERS = 1_048_576
# A number from here on may be a card or a telephone.
_LONG_NUMBER = 10**8
# No rule needs more characters than this to know what it sees; what goes on after it is taken greedily.
_LONGEST = 256
_AS_THEY_ARE = (bool, datetime, date, time, UUID)
_NUMBERS = frozenset({int, float, bool})
_SEQUENCES = (list, tuple, set, frozenset)
_BYTES = (bytes, bytearray, memoryview)
_ORDERED = frozenset({list, tuple})
_PAIR = 2
_LONGEST_KEY = 64
_DROPPED = object()


class Item:
    """A span, a log event or a report while it is scrubbed.

    Args:
        scrubber: the policy.
        cut_at: length (characters) at which texts were cut before they came here; None: they are whole.

    Attributes:
        found: name of a rule and where it hit, in the order found.
    """

    __slots__ = ("_characters", "_cut_at", "_keyed", "_scrubber", "_values", "found")

    def __init__(self, scrubber: Scrubber, cut_at: int | None = None) -> None:
        self._scrubber = scrubber
        self._cut_at = cut_at
        self._keyed = True
        self._values = MAX_VALUES
        self._characters = MAX_CHARACTERS
        self.found: list[tuple[str, str]] = []

    @property
    def told(self) -> list[str]:
        """What was found, each once: `RULE in PLACE`, which no rule takes for anything when it is scrubbed again."""
        return [f"{rule} in {where}" for rule, where in dict.fromkeys(self.found)]

    def text(self, text: str, where: str, key: str = "") -> str:
        """Scrub a text.

        Args:
            text: any.
            where: its place in the item, for the findings; never a part of the text.
            key: the attribute key it stands under.
        """
        if text in self._scrubber.clean:
            return text
        self._characters -= len(text)
        if self._characters < 0:
            return self._unscrubbable(where)
        if self._cut_at is not None and len(text) >= self._cut_at:
            self.found.append(("cut_off", where))
            return without_end(self._scrubbed(text, where, key))
        return self._scrubbed(text, where, key)

    def _scrubbed(self, text: str, where: str, key: str) -> str:
        return self._scrubber.text(text, key, lambda rule: self.found.append((rule, where)))

    def mapping(self, values: Mapping[Any, Any], where: str, depth: int = 0) -> dict[Any, Any]:
        """Scrub keys and values; a dictionary in which nothing was sensitive is returned itself.

        Args:
            values: with keys of any type.
            where: its place in the item.
            depth: how many containers it is inside of.
        """
        self._values -= len(values)
        if self._values < 0 or depth > MAX_DEPTH:
            return {UNSCRUBBABLE: self._unscrubbable(where)}
        clean, keys = self._scrubber.clean, self._scrubber.keys
        plain = members(values) or {}
        changed: dict[Any, Any] | None = None
        doubles: dict[Any, int] = {}
        invalid = "input" in plain and "loc" in plain and "msg" in plain
        for key, value in plain.items():
            new_key, new_value = key, value
            if invalid and key == "input":
                # Of a validation error, as pydantic and FastAPI list them: what was validated.
                new_value = self._hidden("validation_input", where)
            elif keys.get(key, key) is not None:
                new_key, new_value = self._member(key, value, where, depth)
            else:
                # Most fields: an ordinary key with a text that was clean before, or a short number.
                kind = type(value)
                harmless = value in clean if kind is str else kind in _NUMBERS and -_LONG_NUMBER < value < _LONG_NUMBER
                if not harmless:
                    new_value = self._value(value, key, f"{where}.{key}", depth + 1)
            if changed is None and (new_key is not key or new_value is not value):
                changed = _before(plain, key)
            if changed is not None and new_key is not _DROPPED:
                changed[_free(new_key, changed, doubles)] = new_value
        return plain if changed is None else changed

    def _hidden(self, rule: str, where: str) -> str:
        self.found.append((rule, where))
        return "[REDACTED:field]"

    def _member(self, key: Any, value: Any, where: str, depth: int) -> tuple[Any, Any]:  # noqa: ANN401
        name = key if type(key) is str else self._name(key, where)
        known = self._scrubber.key(name)
        if known is None:
            # What is neither a text nor a number was made one to be looked at, and may have lost something by it.
            plain = key is None or isinstance(key, (str, int, float))
            return (key if plain else name), self._value(value, name, f"{where}.{name}", depth + 1)
        place = f"{where}.{known.text}"
        if known.text != name:
            self.text(name, where)  # for the findings
        if known.rule is not None and self._keyed:
            if known.rule.action == "drop":
                self.found.append((known.rule.name, place))
                return _DROPPED, None
            if value is None:
                return known.text, None
            field = self._scrubber.field(known.rule, value)
            if field is not value:
                self.found.append((known.rule.name, place))
            return (key if known.text == name else known.text), field
        if self._is_id(known, value):
            return key, value
        if known.rewrite is not None and isinstance(value, str):
            rewritten = self._scrubber.rewritten(name, known, value)
            if rewritten != value:
                self.found.append((known.rewrite, place))
                value = rewritten
        return (key if known.text == name else known.text), self._value(value, name, place, depth + 1)

    @staticmethod
    def _is_id(known: Key, value: Any) -> bool:  # noqa: ANN401 - any value
        return known.id_form is not None and type(value) is str and known.id_form.fullmatch(value) is not None

    def _name(self, key: Any, where: str) -> str:  # noqa: ANN401 - any key
        if isinstance(key, str):
            return str.__str__(key)
        if key is None or isinstance(key, (int, float)):
            return str(key)
        shown = self.value(key, where)
        return shown.decode() if isinstance(shown, bytes) else str(shown)

    def value(self, value: Any, where: str) -> Any:  # noqa: ANN401 - any value
        """Scrub a value that stands under no key.

        Args:
            value: text, number, mapping, sequence, bytes, exception, anything.
            where: its place in the item.
        """
        return self._value(value, "", where, 0)

    def by_value(self, value: Any, where: str) -> Any:  # noqa: ANN401 - any value
        """Scrub a value whose keys are of a known schema, so that they say nothing: the value rules alone apply.

        Args:
            value: as of `value`.
            where: its place in the item.
        """
        self._keyed = False
        try:
            return self._value(value, "", where, 0)
        finally:
            self._keyed = True

    def _value(self, value: Any, key: str, where: str, depth: int) -> Any:  # noqa: ANN401, PLR0911 - a case a type
        if isinstance(value, str):
            # What is told is the text, and not what a foreign `__str__` or `__repr__` makes of it.
            return self.text(value if type(value) is str else str.__str__(value), where, key)
        if value is None or isinstance(value, _AS_THEY_ARE):
            return value
        if isinstance(value, (int, float)):
            return self._number(value, key, where)
        if isinstance(value, BaseException):
            return self.text(said(value), where, key)
        named = members(value)
        if named is not None:
            return self.mapping(named, where, depth)
        if isinstance(value, _SEQUENCES):
            return self._sequence(value, key, where, depth)
        if isinstance(value, _BYTES):
            return self._bytes(bytes(value), key, where)
        if isinstance(value, Enum):
            return self._value(value.value, key, where, depth)
        return self._shown(value, key, where)

    def _number(self, value: float, key: str, where: str) -> Any:  # noqa: ANN401 - itself or a placeholder
        if -_LONG_NUMBER < value < _LONG_NUMBER:
            return value
        try:
            text = repr(value)
        except ValueError:  # an integer of more digits than Python writes
            return self._unscrubbable(where)
        scrubbed = self.text(text, where, key)
        return value if scrubbed == text else scrubbed

    def _sequence(self, values: Any, key: str, where: str, depth: int) -> Any:  # noqa: ANN401 - any sequence
        self._values -= len(values)
        if self._values < 0 or depth > MAX_DEPTH:
            return self._unscrubbable(where)
        if len(values) == _PAIR and type(values) in _ORDERED and self._is_key(values[0]):
            # A header, or a member of a dictionary that was listed.
            scrubbed = list(self._member(values[0], values[1], where, depth))
        else:
            clean = self._scrubber.clean
            scrubbed = [
                value if type(value) is str and value in clean else self._value(value, key, where, depth + 1)
                for value in values
            ]
        if type(values) in _ORDERED and all(map(is_, scrubbed, values)):
            return values
        return tuple(scrubbed) if type(values) is tuple else scrubbed

    def _is_key(self, value: Any) -> bool:  # noqa: ANN401 - any value
        if not isinstance(value, (str, bytes)) or len(value) > _LONGEST_KEY:
            return False
        name = value if isinstance(value, str) else value.decode("utf-8", "replace")
        known = self._scrubber.key(str.__str__(name))
        return known is not None and known.rule is not None

    def _bytes(self, value: bytes, key: str, where: str) -> Any:  # noqa: ANN401 - bytes or a placeholder
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return self._unscrubbable(where)
        scrubbed = self.text(text, where, key)
        return value if scrubbed == text else scrubbed.encode()

    def _shown(self, value: object, key: str, where: str) -> str:
        try:
            text = repr(value)
        except Exception:  # noqa: BLE001 - a foreign __repr__ may raise anything
            return self._unscrubbable(where)
        return self.text(text, where, key)

    def _unscrubbable(self, where: str) -> str:
        self.found.append(("unscrubbable", where))
        return UNSCRUBBABLE


def without_end(text: str) -> str:
    """Half a card number has no form: what may have been cut in two stays out, and so does half a placeholder."""
    return cut(text, max(len(text) - _LONGEST, 0))


def cut(text: str, length: int) -> str:
    """Give the beginning of a scrubbed text, without half a placeholder at its end.

    Args:
        text: has been scrubbed as a whole.
        length: characters at most.
    """
    kept = text[:length]
    if kept == text:
        return text
    begun = kept.rfind("[REDACTED:")
    return kept if begun < 0 or "]" in kept[begun:] else kept[:begun]


def _before(values: Mapping[Any, Any], key: Any) -> dict[Any, Any]:  # noqa: ANN401 - any key
    before = {}
    for earlier, value in values.items():
        if earlier is key:
            break
        before[earlier] = value
    return before


def _free(key: Any, taken: dict[Any, Any], doubles: dict[Any, int]) -> Any:  # noqa: ANN401 - any key
    """Two keys may have become one placeholder, and neither value may be lost."""
    if key not in taken:
        return key
    number = doubles.get(key, 1) + 1
    while f"{key}#{number}" in taken:
        number += 1
    doubles[key] = number
    return f"{key}#{number}"
