"""What was asked and what was got: the lines of a benchmark's report, on the screen and in a file."""

from __future__ import annotations

import datetime as dt
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a report.

    Attributes:
        what: is measured.
        asked: at most, at least, or exactly.
        got: what it was.
        met: whether that is what was asked; None: nothing was.
    """

    what: str
    asked: str
    got: str
    met: bool | None = None

    def __str__(self) -> str:
        return f"{'' if self.met is None else 'met' if self.met else 'MISSED':7}{self.what}: {self.got}"


def write(path: Path, method: str, figures: Iterable[Figure], packages: Sequence[str]) -> None:
    """Write a report.

    Args:
        path: of the file.
        method: how it was measured; ends in the head of the table.
        figures: its lines.
        packages: those whose versions matter.
    """
    marks = {True: "met", False: "**missed**", None: ""}
    lines = [f"| {each.what} | {each.asked} | {each.got} | {marks[each.met]} |" for each in figures]
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    stamp = f"\n{dt.datetime.now(dt.UTC):%Y-%m-%d}, {machine}; {versions}.\n"
    path.write_text(method + "\n".join(lines) + "\n" + stamp)
