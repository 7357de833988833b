"""How many digits, and how close together, must be in a text for a pattern to match it: the gate of numbers.

Most rules for numbers have no literal that must be there. But each of their matches has so many digits, with no more
than so many characters of a few kinds between one and the next, and that is a pattern which costs a tenth of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from re import _constants  # type: ignore[attr-defined] # the one reader of patterns that gives its tree
from string import hexdigits
from typing import Any, Final

_DIGITS: Final = frozenset("0123456789")
# A percent-encoded character is one character, though it is written with digits.
_PERCENT: Final = (_constants.LITERAL, ord("%"))
_ESCAPED: Final = 2
_ESCAPE: Final = "%XX"
# Wider gaps, or fewer digits, are in every text.
_WIDEST: Final = 12
_FEWEST: Final = 4


_Chars = frozenset[str] | None
"""What characters may be; None: anything."""


@dataclass(frozen=True, slots=True)
class _Gap:
    """What stands where no digit must be.

    Attributes:
        width: characters at most.
        chars: what they may be.
    """

    width: float
    chars: _Chars

    def __add__(self, other: _Gap) -> _Gap:
        return _Gap(self.width + other.width, _either(self.chars, other.chars))

    def __or__(self, other: _Gap) -> _Gap:
        return _Gap(max(self.width, other.width), _either(self.chars, other.chars))


@dataclass(frozen=True, slots=True)
class _Span:
    """What stands in a part of a pattern.

    Attributes:
        count: digits that must be there.
        before: what stands before the first of them; the whole part, if there is none.
        between: what stands between two of them.
        after: what stands behind the last of them.
    """

    count: int
    before: _Gap
    between: _Gap
    after: _Gap


_NONE: Final = _Gap(0, frozenset())
_EMPTY: Final = _Span(0, _NONE, _NONE, _NONE)
_DIGIT: Final = _Span(1, _NONE, _NONE, _NONE)


def _either(one: _Chars, other: _Chars) -> _Chars:
    return None if one is None or other is None else one | other


def digit_gate(tree: Any, fewest: int = _FEWEST) -> str | None:  # noqa: ANN401 - the parser's own tree
    """Give a pattern of digits that is found in whatever a pattern matches; None: there are too few.

    Args:
        tree: of a pattern in the policy's subset.
        fewest: digits below which nothing is told.
    """
    span = _sequence(tree)
    if span.count < fewest or span.between.width > _WIDEST:
        return None
    chars = span.between.chars
    gap = "[^0-9]" if chars is None else _gap_of(chars - _DIGITS)
    between = f"{gap}{{0,{int(span.between.width)}}}" if gap else ""
    return f"[0-9](?:{between}[0-9]){{{span.count - 1}}}"


def _gap_of(chars: frozenset[str]) -> str:
    single = "".join(_escaped(char) for char in sorted(chars - {_ESCAPE}))
    kinds = [f"[{single}]" if single else "", "%[0-9A-Fa-f]{2}" if _ESCAPE in chars else ""]
    told = "|".join(filter(None, kinds))
    return f"(?:{told})" if told else ""


def _escaped(char: str) -> str:
    return f"\\{char}" if char in "\\]^-[" else char


def _sequence(items: Any) -> _Span:  # noqa: ANN401 - the parser's own tree
    whole, pending = _EMPTY, list(items)
    while pending:
        if pending[0] == _PERCENT and len(pending) > _ESCAPED and all(map(_is_hex, pending[1 : _ESCAPED + 1])):
            whole = _then(whole, _no_digit(frozenset({_ESCAPE})))
            pending = pending[_ESCAPED + 1 :]
            continue
        operator, argument = pending.pop(0)
        whole = _then(whole, _one(operator, argument))
    return whole


def _is_hex(item: Any) -> bool:  # noqa: ANN401
    operator, argument = item
    if operator is _constants.LITERAL:
        return chr(argument) in hexdigits
    return operator is _constants.IN and all(
        kind is _constants.LITERAL and chr(char) in hexdigits for kind, char in argument
    )


def _then(first: _Span, second: _Span) -> _Span:
    if first.count == 0 and second.count == 0:
        return _Span(0, first.before + second.before, _NONE, _NONE)
    if first.count == 0:
        return _Span(second.count, first.before + second.before, second.between, second.after)
    if second.count == 0:
        return _Span(first.count, first.before, first.between, first.after + second.before)
    between = first.between | second.between | (first.after + second.before)
    return _Span(first.count + second.count, first.before, between, second.after)


def _one(operator: Any, argument: Any) -> _Span:  # noqa: ANN401, PLR0911 - a case an operator
    if operator is _constants.LITERAL:
        return _DIGIT if chr(argument) in _DIGITS else _no_digit(frozenset(chr(argument)))
    if operator is _constants.IN:
        return _class(argument)
    if operator is _constants.AT:
        return _EMPTY
    if operator is _constants.SUBPATTERN:
        return _sequence(argument[-1])
    if operator is _constants.BRANCH:
        return _alternatives([_sequence(branch) for branch in argument[1]])
    if operator is _constants.MAX_REPEAT:
        return _repeat(*argument)
    return _no_digit(None)


def _no_digit(chars: _Chars) -> _Span:
    return _Span(0, _Gap(1, chars), _NONE, _NONE)


def _class(members: Any) -> _Span:  # noqa: ANN401
    chars: set[str] = set()
    for kind, argument in members:
        if kind is _constants.LITERAL:
            chars.add(chr(argument))
        elif kind is _constants.RANGE and argument[1] < 128:  # noqa: PLR2004 - ASCII
            chars.update(map(chr, range(argument[0], argument[1] + 1)))
        else:
            return _no_digit(None)
    return _DIGIT if chars <= _DIGITS else _no_digit(frozenset(chars))


def _alternatives(spans: list[_Span]) -> _Span:
    whole = spans[0]
    for span in spans[1:]:
        if 0 in {whole.count, span.count}:
            # Where one has no digit, all of the other may be a gap.
            whole = _Span(0, _whole(whole) | _whole(span), _NONE, _NONE)
        else:
            whole = _Span(
                min(whole.count, span.count),
                whole.before | span.before,
                whole.between | span.between,
                whole.after | span.after,
            )
    return whole


def _whole(span: _Span) -> _Gap:
    if span.count == 0:
        return span.before
    between = span.before | span.between | span.after
    width = span.before.width + span.after.width + span.count + span.between.width * (span.count - 1)
    return _Gap(width, between.chars)


def _repeat(low: int, high: Any, items: Any) -> _Span:  # noqa: ANN401
    part = _sequence(items)
    most = float("inf") if high is _constants.MAXREPEAT else int(high)
    if part.count == 0 or low == 0:
        gap = _whole(part)
        return _Span(0, _Gap(gap.width * most if gap.width else 0, gap.chars), _NONE, _NONE)
    whole = part
    for _ in range(low - 1):
        whole = _then(whole, part)
    if most == low:
        return whole
    # What may follow begins and ends as the part does: no gap is wider than between two of them.
    return _Span(whole.count, whole.before, whole.between | _then(part, part).between, whole.after)
