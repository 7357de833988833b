"""IBANs: each country's own length and layout (ISO 13616, the SWIFT registry)."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLASSES = {"n": "[0-9]", "a": "[A-Za-z]", "c": "[0-9A-Za-z]"}
_GROUP = 4
_TOKEN = re.compile(r"([0-9]+)([nac])")


def pattern(layouts: Mapping[str, str], separator: str) -> str:
    """Give the pattern of every IBAN, written in one piece, in groups of four or in some of them.

    Args:
        layouts: country code → layout of what follows the two check digits, such as `8n10n`; `n` digits,
            `a` letters, `c` either, in both cases.
        separator: pattern of what may stand between two groups.
    """
    countries: dict[str, list[str]] = {}
    for country, layout in sorted(layouts.items()):
        countries.setdefault(_grouped(layout, f"{separator}?"), []).append(_either_case(country))
    return "|".join(f"(?:{'|'.join(codes)})[0-9]{{2}}{body}" for body, codes in countries.items())


def _either_case(word: str) -> str:
    return "".join(f"[{letter.upper()}{letter.lower()}]" for letter in word)


def _units(layout: str) -> list[str]:
    return [_CLASSES[kind] for count, kind in _TOKEN.findall(layout) for _ in range(int(count))]


def _grouped(layout: str, separator: str) -> str:
    units = _units(layout)
    groups = [units[start : start + _GROUP] for start in range(0, len(units), _GROUP)]
    pieces = ((separator + _counted(group), list(same)) for group, same in groupby(groups))
    return "".join(f"(?:{piece}){{{len(same)}}}" if len(same) > 1 else piece for piece, same in pieces)


def _counted(units: list[str]) -> str:
    runs = [(unit, len(list(run))) for unit, run in groupby(units)]
    return "".join(f"{unit}{{{count}}}" if count > 1 else unit for unit, count in runs)
