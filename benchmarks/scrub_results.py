"""Writes SCRUB.md: the figures, the table, the date and the versions it was measured with."""

from __future__ import annotations

import datetime as dt
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path(__file__).with_name("SCRUB.md")
_PACKAGES = ("google-re2", "logfire", "presidio-analyzer", "scrubadub")
_METHOD = """\
# What scrubbing costs

Written by `make bench-scrub`; do not edit. Ratios of times taken in turns in one run, each the best of several rounds.

"""
_TEXTS = """
The same texts under each scrubber, as multiples of what ours takes for a text that it has not seen before. They do not
do the same: logfire looks for words such as `password` and replaces the whole text, presidio's pattern recognizers
(cards, e-mail addresses, IBANs, IP addresses, telephone numbers, SSNs) find and do not replace, scrubadub's default
detectors know no IBAN, no IP address and no key of an issuer.

"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One ratio.

    Attributes:
        title: what was measured.
        base: against what.
        ratio: the one over the other.
        limit: what it must not exceed, or None.
    """

    title: str
    base: str
    ratio: float
    limit: float | None

    @property
    def missed(self) -> bool:
        """Whether it exceeds its limit."""
        return self.limit is not None and self.ratio > self.limit


def write(figures: Sequence[Figure], texts: Sequence[tuple[str, dict[str, float]]]) -> str:
    """Write the results, and give them."""
    lines = ["| measured | against | ratio | at most |", "|---|---|---:|---:|"]
    for figure in figures:
        limit = "" if figure.limit is None else f"{figure.limit:g}"
        lines.append(f"| {figure.title} | {figure.base} | {_digits(figure.ratio)} | {limit} |")
    names = list(texts[0][1])
    table = [f"| text | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    table += [f"| {title} | {' | '.join(_digits(ratios[name]) for name in names)} |" for title, ratios in texts]
    text = _METHOD + "\n".join(lines) + "\n" + _TEXTS + "\n".join(table) + f"\n\n{_measured_with()}\n"
    RESULTS.write_text(text)
    return text


def _digits(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"  # noqa: PLR2004 - two significant digits


def _measured_with() -> str:
    versions = []
    for package in _PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} not installed")
    date = dt.datetime.now(dt.UTC).date()
    return f"{date}, Python {platform.python_version()}, {platform.machine()}; {', '.join(versions)}."
